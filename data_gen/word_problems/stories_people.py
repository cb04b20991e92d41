"""Stories of people who have, give, share and count things."""

from data_gen.word_problems.template import Template, just, span

STORIES = (
    Template(
        "baked_and_sold",
        {"trays": span(3, 9), "each": span(6, 24), "sold": span(10, 90)},
        "In {A her} bakery {A} bakes {trays tray} of {cake s}, with {each} on each tray. By noon {sold} of them are "
        "sold.",
        "How many {cake s} does {A} have left?",
        (
            ("{A} bakes [trays*each=baked cake].", "{A She} has [baked-sold=left cake] left."),
            ("{A} has [trays*each-sold=left cake] left.",),
        ),
        words={"cake": ("muffin", "scone", "bagel", "croissant")},
    ),
    Template(
        "two_presents_shared",
        {"children": span(3, 8), "u": span(2, 9), "v": span(2, 9), "first": lambda given: given.children * given.u,
         "second": lambda given: given.children * given.v},
        "{A} gives {first sweet} to a group of {children child}, and later {B} gives the group {second} more. The "
        "children "
        "share all of them equally.",
        "How many {sweet s} does each child get?",
        (
            ("The group gets [first+second=altogether sweet].", "Each child gets [altogether/children=each sweet]."),
            ("From {A} each child gets [first/children=early sweet].",
             "From {B} each child gets [second/children=late sweet].", "Each child gets [early+late=each sweet]."),
        ),
        words={"sweet": ("caramel", "gummy bear", "walnut", "cherry")},
        where=lambda given: given.u != given.v,
    ),
    Template(
        "times_as_many",
        {"n": span(5, 60), "k": just(2, 6)},
        "{A} has {n thing}. {B} has {k times} as many {thing s} as {A}.",
        "How many {thing s} do the two of them have together?",
        (
            ("{B} has [k*n=other thing].", "Together they have [n+other=both thing]."),
            ("Together they have [k+1=shares] times as many as {A}.", "That is [shares*n=both thing]."),
        ),
        words={"thing": ("stamp", "seashell", "postcard", "fossil")},
    ),
    Template(
        "one_more_then_multiple",
        {"n": span(4, 40), "more": span(3, 20), "k": just(2, 4)},
        "{A} has picked {n fruit}. {B} has picked {more} more than {A}, and {C} has picked {k times} as many as {B}.",
        "How many {fruit s} have the three of them picked in all?",
        (
            ("{B} has picked [n+more=second fruit].", "{C} has picked [k*second=third fruit].",
             "In all they have picked [n+second+third=altogether fruit]."),
            ("{B} has picked [n+more=second fruit].",
             "{B} and {C} have picked [second*(k+1)=later fruit] between them.",
             "In all they have picked [n+later=altogether fruit]."),
        ),
        words={"fruit": ("pear", "plum", "peach", "strawberry")},
    ),
    Template(
        "filled_bags",
        {"bags": span(3, 12), "each": span(4, 15), "left": span(2, 14),
         "n": lambda given: given.bags * given.each + given.left},
        "{A} has {n thing}. {A She} fills {bags bag} with {each thing} each and gives the rest to {B}.",
        "How many {thing s} does {B} get?",
        (
            ("In the bags go [bags*each=packed thing].", "{B} gets [n-packed=rest thing]."),
            ("{B} gets [n-bags*each=rest thing].",),
        ),
        words={"thing": ("marble", "button", "bead", "chestnut")},
        where=lambda given: given.left != given.bags and given.left < given.each,
    ),
    Template(
        "rows_of_seats",
        {"rows": span(4, 12), "seats": span(5, 12), "size": just(3, 6), "groups": span(4, 16),
         "empty": lambda given: given.rows * given.seats - given.size * given.groups},
        "A school hall has {rows row} of {seats seat} each. At a meeting {empty seat} stay empty, and one pupil sits "
        "on "
        "each of the others. After it, all these pupils form groups of {size}.",
        "How many groups do they form?",
        (
            ("The hall has [rows*seats=altogether seat].", "At the meeting were [altogether-empty=pupils pupil].",
             "They form [pupils/size=teams group]."),
            ("At the meeting were [rows*seats-empty=pupils pupil].", "They form [pupils/size=teams group]."),
        ),
        asides=("The meeting lasts {x} minutes.", "The school is {x} years old."),
    ),
    Template(
        "legs_on_a_farm",
        {"birds": span(5, 40), "beasts": span(3, 30)},
        "On {A}'s farm live {birds bird} and {beasts beast}. Each {bird} has two legs, and each {beast} has four.",
        "How many legs do these animals have altogether?",
        (
            ("The {bird s} have [2*birds=bird_legs leg].", "The {beast s} have [4*beasts=beast_legs leg].",
             "Altogether they have [bird_legs+beast_legs=legs leg]."),
            ("There live [birds+beasts=animals animal] on the farm.",
             "Two legs for each animal make [2*animals=pairs leg].",
             "The {beast s} have [2*beasts=further leg] more.", "Altogether they have [pairs+further=legs leg]."),
        ),
        words={"bird": ("chicken", "duck", "turkey"), "beast": ("cow", "goat", "pony")},
    ),
    Template(
        "library_day",
        {"n": span(60, 200), "morning": span(5, 40), "afternoon": span(5, 40), "back": span(3, 30)},
        "In the morning {n book} stand on the shelves of a small library. Before noon {morning book} are lent out, and "
        "after noon {afternoon} more. During the day {back book} come back and are put on the shelves.",
        "How many books stand on the shelves in the evening?",
        (
            ("After the morning's loans the shelves hold [n-morning=noon book].",
             "After the afternoon's loans too they would hold [noon-afternoon=less book].",
             "With what came back they hold [less+back=evening book]."),
            ("Lent out is a total of [morning+afternoon=lent book].",
             "With what came back the shelves would hold [n+back=more book].",
             "In the evening they hold [more-lent=evening book]."),
        ),
    ),
    Template(
        "votes_for_three",
        {"a": span(20, 90), "fewer": span(3, 18), "c": span(10, 80),
         "votes": lambda given: 2 * given.a - given.fewer + given.c},
        "In an election for class president all {votes vote} go to {A}, {B} or {C}. {A} gets {a} of them, and {B} gets "
        "{fewer} fewer than {A}.",
        "How many votes does {C} get?",
        (
            ("{B} gets [a-fewer=b vote].", "{A} and {B} get [a+b=both vote] together.",
             "{C} gets [votes-both=rest vote]."),
            ("Without {A}'s votes that leaves [votes-a=others vote].", "{B} gets [a-fewer=b vote].",
             "{C} gets [others-b=rest vote]."),
            ("If {B} had as many as {A}, the two would have [2*a=double vote].",
             "They have [double-fewer=both vote] together.", "{C} gets [votes-both=rest vote]."),
        ),
        where=lambda given: given.fewer < given.a - 1,
    ),
    Template(
        "part_of_a_choir",
        {"k": just(3, 6), "part": span(4, 20), "n": lambda given: given.k * given.part},
        "A choir has {n member}. Of all members, {k part} sing {voice}, and the others do not.",
        "How many members do not sing {voice}?",
        (
            ("Those who sing {voice} number [n/k=singers].", "That leaves [n-singers=others member]."),
            ("Those who do not are [k-1=shares] of {k} equal parts.",
             "One of {k} equal parts of the choir has [n/k=size member].",
             "The others number [shares*size=others]."),
        ),
        words={"voice": ("alto", "bass", "tenor", "soprano")},
        where=lambda given: given.k != 7,
        asides=("The choir knows {x} songs.", "The choir meets in a hall with {x} windows."),
    ),
    Template(
        "eggs_in_boxes",
        {"first_coop": span(6, 30), "second_coop": span(4, 24), "days": just(3, 14), "box": just(6, 12, 2)},
        "{A}'s farm has two coops. In the first, {first_coop egg} are laid every day, and in the second {second_coop "
        "egg}. The eggs of "
        "{days day} are packed into boxes of {box}, and no egg is left over.",
        "How many boxes does {A} fill?",
        (
            ("Every day [first_coop+second_coop=eggs egg] are laid.",
             "In all the days that makes [eggs*days=altogether egg].",
             "{A} fills [altogether/box=boxes box]."),
            ("The first coop gives [first_coop*days=first egg].",
             "The second coop gives [second_coop*days=second egg].",
             "Together they give [first+second=altogether egg].", "{A} fills [altogether/box=boxes box]."),
        ),
        where=lambda given: given.first_coop != given.second_coop
        and (given.first_coop + given.second_coop) * given.days % given.box == 0,
    ),
    Template(
        "stickers_given_and_bought",
        {"k": just(2, 5), "part": span(4, 20), "packs": span(2, 6), "size": span(5, 12),
         "n": lambda given: given.k * given.part},
        "{A} has {n sticker}. {A She} gives {k part} of them to {B} and then buys {packs pack} of {size sticker} each.",
        "How many stickers does {A} have now?",
        (
            ("{B} gets [n/k=given sticker].", "{A} keeps [n-given=kept sticker].",
             "In the packs come [packs*size=new sticker].", "{A} now has [kept+new=now sticker]."),
            ("{B} gets [n/k=given sticker].", "In the packs come [packs*size=new sticker].",
             "With the packs alone {A} would have [n+new=more sticker].", "{A} now has [more-given=now sticker]."),
        ),
    ),
    Template(
        "flower_beds",
        {"beds": span(3, 8), "rows": span(2, 6), "flowers": span(4, 12), "dry": span(3, 20)},
        "In a park are {beds bed}. Each bed has {rows row} of {flowers flower}. After a hot week {dry} of all these "
        "{flower s} have dried up.",
        "How many {flower s} have not dried up?",
        (
            ("In each bed grow [rows*flowers=bed_size flower].", "In all beds grow [beds*bed_size=altogether flower].",
             "Not dried up are [altogether-dry=fresh flower]."),
            ("The beds have [beds*rows=all_rows row].", "In these grow [all_rows*flowers=altogether flower].",
             "Not dried up are [altogether-dry=fresh flower]."),
        ),
        words={"flower": ("rose", "tulip", "dahlia", "sunflower")},
        asides=("The park has {x} benches.", "The park is open for {x} weeks of the year."),
    ),
    Template(
        "bus_with_stops",
        {"n": span(10, 40), "off": span(3, 12), "on": span(3, 15), "later": span(3, 12)},
        "A bus leaves the station with {n passenger}. At the first stop {off passenger} get off and {on} get on. At "
        "the "
        "second stop {later passenger} get off, and nobody gets on.",
        "How many passengers are on the bus after the second stop?",
        (
            ("After some get off at the first stop, the bus carries [n-off=fewer passenger].",
             "It leaves the first stop with [fewer+on=middle passenger].",
             "It leaves the second stop with [middle-later=end passenger]."),
            ("At both stops together [off+later=gone passenger] get off.",
             "If none got off, the bus would carry [n+on=most passenger].",
             "It leaves the second stop with [most-gone=end passenger]."),
        ),
        asides=("The station has {x} platforms.", "The bus has been in service for {x} months."),
    ),
    Template(
        "puzzle_progress",
        {"n": span(100, 1000, 50), "done": just(10, 80, 5)},
        "{A} is working on a puzzle with {n piece}. {A She} has already placed {done %} of the pieces.",
        "How many pieces does {A} still have to place?",
        (
            ("{A} has placed [n*done/100=placed piece].", "{A She} still has to place [n-placed=left piece]."),
            ("To be placed is still [100-done=rest %] of the puzzle.", "That is [n*rest/100=left piece]."),
        ),
    ),
    Template(
        "concert_seats",
        {"front": span(4, 10), "a": span(8, 16), "back": span(5, 14), "b": span(8, 20), "sold": span(60, 250)},
        "In a theater the first {front row} have {a seat} each, and the other {back row} have {b seat} each. For "
        "tonight "
        "{sold} seats are sold.",
        "How many seats are not sold?",
        (
            ("The first rows have [front*a=near seat].", "The other rows have [back*b=far seat].",
             "The theater has [near+far=altogether seat].", "Not sold are [altogether-sold=free seat]."),
            ("The theater has [front*a+back*b=altogether seat].", "Not sold are [altogether-sold=free seat]."),
        ),
        asides=("The show tonight has {x} actors.", "The theater was built {x} years ago."),
        where=lambda given: given.a != given.b,
    ),
    Template(
        "points_in_a_game",
        {"won": span(5, 20), "p": just(3, 10), "lost": span(2, 9), "q": just(2, 5)},
        "In a card game each round that is won gives {p} points, and each round that is lost takes {q} points away. "
        "{A} "
        "starts with no points, wins {won round} and loses {lost round}.",
        "How many points does {A} have at the end?",
        (
            ("The rounds won give [won*p=plus point].", "The rounds lost take away [lost*q=minus point].",
             "{A} has [plus-minus=points point]."),
            ("{A} plays [won+lost=rounds round].", "If all rounds were won, they would give [rounds*p=most point].",
             "A lost round instead of a won one makes a difference of [p+q=difference point].",
             "For all lost rounds the difference is [lost*difference=missed point].", "{A} has [most-missed=points "
             "point]."),
        ),
        where=lambda given: given.p > given.q,
    ),
    Template(
        "beads_in_a_pattern",
        {"red": just(2, 5), "blue": just(3, 9), "groups": span(4, 20),
         "n": lambda given: (given.red + given.blue) * given.groups},
        "{A} strings a necklace of {n bead}. For every {red} {color} beads there are {blue} white ones, and there are "
        "no "
        "others.",
        "How many beads of the necklace are {color}?",
        (
            ("The pattern repeats after [red+blue=unit bead].", "It fits [n/unit=times] times.",
             "That makes [times*red=colored {color} bead]."),
            ("The pattern repeats after [red+blue=unit bead].", "It fits [n/unit=times] times.",
             "White are [times*blue=white bead].", "That leaves [n-white=colored {color} bead]."),
        ),
        words={"color": ("red", "green", "golden", "black")},
        where=lambda given: given.red != given.blue,
    ),
    Template(
        "ages_together",
        {"a": span(4, 15), "k": just(2, 4), "later": just(2, 12)},
        "{A} is {a} years old, and {B} is {k times} as old as {A}.",
        "What will be the sum of {A}'s and {B}'s ages in {later} years?",
        (
            ("{B} is [k*a=b] years old.", "Now their ages come to [a+b=now year].",
             "In {later} years the two of them gain [2*later=gain] years.",
             "Then their ages will come to [now+gain=then year]."),
            ("{B} is [k*a=b] years old.", "{A} will then be [a+later=a_then] years old.",
             "{B} will then be [b+later=b_then] years old.",
             "Then their ages will come to [a_then+b_then=then year]."),
        ),
        asides=("{A} lives in a house with {x} windows.", "{A} has {x} books on {A her} shelf."),
    ),
)  # fmt: skip
