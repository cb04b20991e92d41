"""Short stories of one step, each with a second way of more."""

from data_gen.word_problems.template import Template, just, span

STORIES = (
    Template(
        "dozens",
        {"n": span(3, 30)},
        "{A} orders {n} dozen {thing s} for a café. A dozen is twelve.",
        "How many {thing s} does {A} order?",
        (
            ("{A} orders [n*12=altogether thing].",),
            ("Ten for each dozen make [n*10=tens thing].", "Two for each dozen make [n*2=twos thing].",
             "{A} orders [tens+twos=altogether thing]."),
        ),
        words={"thing": ("egg", "roll", "spoon", "napkin")},
    ),
    Template(
        "missing_from_a_set",
        {"has": span(20, 90), "missing": span(11, 60), "whole": lambda given: given.has + given.missing},
        "A set of cards about {topic} has {whole card}. {A} has collected {has} different ones.",
        "How many cards of the set is {A} missing?",
        (
            ("{A} is missing [whole-has=lacking card].",),
            ("Without ten of its cards the set has [whole-10=ten_less card].",
             "Without ten of them {A} has [has-10=others card].", "{A} is missing [ten_less-others=lacking card]."),
        ),
        words={"topic": ("birds", "planets", "castles", "trains")},
    ),
    Template(
        "together_in_two_rooms",
        {"a": span(12, 60), "b": span(12, 60)},
        "At {A}'s school {a pupil} take part in the {club} club, and {b} others take part in the chess club. Nobody "
        "takes "
        "part in both.",
        "How many pupils take part in one of the two clubs?",
        (
            ("In one of the two are [a+b=both pupil].",),
            ("The {club} club and ten from the chess club make [a+10=more pupil].",
             "Without ten of its members the chess club has [b-10=rest pupil].", "In one of the two are "
             "[more+rest=both pupil]."),
        ),
        words={"club": ("drama", "science", "garden", "film")},
    ),
    Template(
        "planting_in_rows",
        {"rows": span(4, 20), "each": span(12, 30)},
        "{A} plants {rows row} of {plant s}, with {each plant} in each row.",
        "How many {plant s} does {A} plant?",
        (
            ("{A} plants [rows*each=altogether plant].",),
            ("Ten from each row make [rows*10=tens plant].", "Beyond ten, a row has [each-10=others plant].",
             "Beyond ten in each, all rows have [rows*others=rest plant].", "{A} plants [tens+rest=altogether plant]."),
        ),
        words={"plant": ("onion", "leek", "lettuce", "carrot")},
    ),
    Template(
        "equal_pay",
        {"friends": just(3, 8), "each": span(12, 40), "cost": lambda given: given.friends * given.each},
        "{A} and some friends, {friends person} in all, rent a boat for {cost $} and pay equal shares.",
        "How much does each of them pay?",
        (
            ("Each pays [cost/friends=share $].",),
            ("If each pays $10, that makes [friends*10=first $].", "Still to be paid is [cost-first=rest $].",
             "Of this each pays [rest/friends=further $].", "Each pays [10+further=share $]."),
        ),
        asides=("The boat is {x} years old.", "The boat has number {x}."),
    ),
)  # fmt: skip
