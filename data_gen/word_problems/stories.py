"""All templates, and the sentences that fit into any story and do not matter to it."""

from data_gen.word_problems import (
    stories_long,
    stories_measure,
    stories_money,
    stories_people,
    stories_single,
    stories_time,
)

TEMPLATES = (
    *stories_single.STORIES,
    *stories_money.STORIES,
    *stories_people.STORIES,
    *stories_time.STORIES,
    *stories_measure.STORIES,
    *stories_long.STORIES,
)

HELD = frozenset(  # for test, and never in train
    (
        "planting_in_rows",
        "change_for_a_note",
        "filled_bags",
        "recipe_for_more",
        "discount_then_coupon",
        "legs_on_a_farm",
        "cyclists_meet",
        "aquarium",
        "eggs_in_boxes",
        "ages_together",
        "concert_seats",
        "blend_of_tea",
        "orchard_harvest",
        "school_trip",
        "printing_a_newspaper",
        "reading_challenge",
    )
)

ASIDES = (  # the last two are for stories without {A}
    "{A} has {x} cousins.",
    "{A} lives at number {x} of a quiet street.",
    "{A} has lived in the same town for {x} years.",
    "The bus that passes {A}'s house has number {x}.",
    "{A} listened to the radio for {x} minutes this morning.",
    "A wall calendar shows a picture from {x} years ago.",
    "The local news on channel {x} is about the weather.",
)
