"""Stories of five to eight steps."""

from data_gen.word_problems.template import Template, just, span

STORIES = (
    Template(
        "school_trip",
        {"classes": span(3, 6), "pupils": span(18, 28), "buses": just(2, 5), "bus": just(20, 50, 2),
         "adults": lambda given: given.buses * given.bus - given.classes * given.pupils, "hire": span(150, 400, 10),
         "ticket": span(3, 12)},
        "A school goes on a trip with {classes class} of {pupils pupil} each and {adults adult}. They hire buses with "
        "room "
        "for {bus} passengers each, which are filled to the last place. A bus costs {hire $}, and every person needs a "
        "ticket for the castle, which costs {ticket $}.",
        "How much do the buses and the tickets cost together?",
        (
            ("The number of pupils is [classes*pupils=children].",
             "Pupils and adults together are [children+adults=people person].",
             "The school needs [people/bus=coaches bus].", "The buses cost [coaches*hire=bus_cost $].",
             "The tickets cost [people*ticket=ticket_cost $].", "Together they cost [bus_cost+ticket_cost=total $]."),
            ("The number of pupils is [classes*pupils=children].",
             "Pupils and adults together are [children+adults=people person].",
             "The school needs [people/bus=coaches bus].", "The tickets for one bus cost [bus*ticket=one_load $].",
             "With its hire a bus comes to [hire+one_load=one_bus $].",
             "Together they cost [coaches*one_bus=total $]."),
        ),
        where=lambda given: 3 < given.adults < given.pupils,
        asides=("The castle is {x} minutes away by bus.", "The castle has {x} rooms."),
    ),
    Template(
        "day_at_the_bakery",
        {"loaves": span(20, 60), "p": span(3, 7), "rolls": span(40, 150, 5), "q": span("0.5", "1.5", "0.25"),
         "hours": just(5, 9), "wage": span(10, 18), "flour": span(20, 60)},
        "In one day {A} sells {loaves loaf} of bread at {p $} each and {rolls roll} at {q $} each in {A her} bakery. "
        "{A She} pays a helper {wage $} an hour for {hours hour}, and {flour $} for flour.",
        "How much of the day's income is left after these costs?",
        (
            ("The bread brings in [loaves*p=bread $].", "The rolls bring in [rolls*q=small $].",
             "The day's income is [bread+small=income $].", "The helper gets [hours*wage=pay $].",
             "The costs are [pay+flour=costs $].", "What is left is [income-costs=left $]."),
            ("The bread brings in [loaves*p=bread $].", "The helper gets [hours*wage=pay $].",
             "The rolls bring in [rolls*q=small $].", "The day's income is [bread+small=income $].",
             "Once the helper is paid, [income-pay=after $] remain.", "What is left is [after-flour=left $]."),
        ),
    ),
    Template(
        "orchard_harvest",
        {"trees": span(10, 40), "each": span(20, 60, 5), "bad": just(5, 20, 5), "price": span(2, 5),
         "truck": span(30, 120, 10)},
        "In an orchard stand {trees tree}, and each bears {each kilogram} of {fruit}. Of the whole harvest {bad %} "
        "cannot be "
        "sold. The rest is sold at {price $} a kilogram. A truck that takes it to the market costs {truck $}.",
        "How much money is left after the truck is paid?",
        (
            ("The harvest is [trees*each=harvest kilogram].", "Not sold are [harvest*bad/100=waste kilogram].",
             "Sold are [harvest-waste=sold kilogram].", "They bring in [sold*price=income $].",
             "After the truck is paid, [income-truck=left $] are left."),
            ("Sold is a share of [100-bad=share %].", "The harvest is [trees*each=harvest kilogram].",
             "Sold are [harvest*share/100=sold kilogram].", "They bring in [sold*price=income $].",
             "After the truck is paid, [income-truck=left $] are left."),
        ),
        words={"fruit": ("apples", "pears", "cherries", "plums")},
        asides=("The orchard was planted {x} years ago.", "The market is {x} kilometers away."),
    ),
    Template(
        "reading_challenge",
        {"monday": span(10, 40), "more": span(4, 15), "less": span(5, 20)},
        "{A} reads every day from Monday to Friday. On Monday {A she} reads {monday page}. On Tuesday it is {more} "
        "more "
        "than on Monday, on Wednesday twice as many as on Tuesday, on Thursday {less} fewer than on Wednesday, and on "
        "Friday half as many as on Thursday.",
        "How many pages does {A} read in these five days?",
        (
            ("On Tuesday it is [monday+more=tuesday page].", "On Wednesday it is [2*tuesday=wednesday page].",
             "On Thursday it is [wednesday-less=thursday page].", "On Friday it is [thursday/2=friday page].",
             "Up to Tuesday that makes [monday+tuesday=two_days page].",
             "Wednesday and Thursday make [wednesday+thursday=middle page].",
             "Up to Thursday that makes [two_days+middle=four_days page].",
             "In all five days it is [four_days+friday=week page]."),
            ("On Tuesday it is [monday+more=tuesday page].", "On Wednesday it is [2*tuesday=wednesday page].",
             "On Thursday it is [wednesday-less=thursday page].", "On Friday it is [thursday/2=friday page].",
             "In all five days it is [monday+tuesday+wednesday+thursday+friday=week page]."),
            ("On Tuesday it is [monday+more=tuesday page].", "Tuesday and Wednesday make [3*tuesday=second page].",
             "On Thursday it is [2*tuesday-less=thursday page].", "On Friday it is [thursday/2=friday page].",
             "In all five days it is [monday+second+thursday+friday=week page]."),
        ),
        where=lambda given: 2 * (given.monday + given.more) > given.less + 3
        and (2 * (given.monday + given.more) - given.less) % 2 == 0,
        asides=("{A} has {x} books at home.", "{A}'s reading lamp is {x} months old."),
    ),
    Template(
        "painting_a_hall",
        {"long": span(8, 20), "wide": span(5, 14), "high": just(3, 5), "openings": span(6, 30), "can": just(4, 12),
         "price": span(12, 40)},
        "{A} paints the four walls of a rectangular hall that is {long} meters long, {wide} meters wide and {high} "
        "meters "
        "high. Doors and windows take up {openings square meter} of the walls and are not painted. A can of paint is "
        "enough for {can square meter} and costs {price $}.",
        "How much does the paint for the walls cost?",
        (
            ("A long wall has [long*high=long_wall square meter].",
             "A short wall has [wide*high=short_wall square meter].",
             "The two long walls have [2*long_wall=long_walls square meter].",
             "The two short walls have [2*short_wall=short_walls square meter].",
             "All four have [long_walls+short_walls=walls square meter].",
             "To be painted are [walls-openings=area square meter].", "This takes [area/can=cans can].",
             "The paint costs [cans*price=cost $]."),
            ("A long and a short wall are [long+wide=half meter] long.", "All four are [2*half=around meter] long.",
             "They have [around*high=walls square meter].", "To be painted are [walls-openings=area square meter].",
             "This takes [area/can=cans can].", "The paint costs [cans*price=cost $]."),
        ),
        where=lambda given: given.long > given.wide
        and 2 * (given.long + given.wide) * given.high > given.openings
        and (2 * (given.long + given.wide) * given.high - given.openings) % given.can == 0,
    ),
    Template(
        "club_buys_shirts",
        {"members": span(12, 40), "shirt": span(8, 20), "off": just(10, 25, 5), "cars": span(10, 40),
         "wash": span(4, 10),
         "each": span(2, 9), "gift": lambda given: given.members * (given.shirt * (100 - given.off) / 100 - given.each)
         - given.cars * given.wash},
        "A sports club orders a shirt for each of its {members member}. A shirt costs {shirt $}, but for so many the "
        "club "
        "gets {off %} off. To pay for the shirts the members wash {cars car} at {wash $} each, and a neighbor gives "
        "them "
        "{gift $}. The members share the rest of the price equally.",
        "How much does each member have to pay?",
        (
            ("At the full price the shirts cost [members*shirt=full $].", "The discount is [full*off/100=discount $].",
             "The club pays [full-discount=price $].", "The car wash brings in [cars*wash=washed $].",
             "With the gift the club has [washed+gift=has $].", "The rest of the price is [price-has=rest $].",
             "Each member has to pay [rest/members=share $]."),
            ("The discount on a shirt is [shirt*off/100=less $].",
             "With the discount a shirt costs [shirt-less=one $].",
             "The club pays [members*one=price $].", "The car wash brings in [cars*wash=washed $].",
             "With the gift the club has [washed+gift=has $].", "The rest of the price is [price-has=rest $].",
             "Each member has to pay [rest/members=share $]."),
        ),
        where=lambda given: given.gift > 4 and given.gift.denominator == 1,
        asides=("The club has won {x} games this year.", "The club was founded {x} years ago."),
    ),
    Template(
        "moving_house",
        {"rooms": span(3, 6), "boxes": span(6, 14), "trips": span(3, 8), "trip": span(8, 20), "unit": just(15, 45, 15),
         "rate": span(20, 44, 4), "extra": lambda given: given.trips * given.trip - given.rooms * given.boxes},
        "{A} moves house. For each of {rooms room} {A she} packs {boxes box}, and for the cellar {extra} more. A van "
        "takes "
        "{trip box} at a time and is full on every trip. A trip takes {unit minute}, and the van costs {rate $} an "
        "hour.",
        "How much does the van cost for all the trips?",
        (
            ("For the rooms {A} packs [rooms*boxes=packed box].",
             "With those for the cellar {A she} packs [packed+extra=altogether box].",
             "The van makes [altogether/trip=number trip].", "This takes [number*unit=minutes minute].",
             "In hours that is [minutes/60=hours hour].", "The van costs [hours*rate=cost $]."),
            ("For the rooms {A} packs [rooms*boxes=packed box].",
             "With those for the cellar {A she} packs [packed+extra=altogether box].",
             "The van makes [altogether/trip=number trip].", "A trip takes [unit/60=part] of an hour.",
             "A trip costs [part*rate=one_trip $].", "All trips cost [number*one_trip=cost $]."),
        ),
        where=lambda given: given.extra > 1,
        decimals=True,
    ),
    Template(
        "charity_run",
        {"runners": span(10, 40), "laps": span(4, 12), "pledge": span(2, 6), "fast": span(3, 9), "bonus": span(2, 5),
         "drinks": span(10, 60), "shirts": span(10, 50)},
        "In a charity run {runners runner} run {laps lap} each, and sponsors give {pledge $} for every lap. {fast} of "
        "the "
        "runners then run {bonus lap} more each, at the same {pledge $} a lap. The organizers spend {drinks $} on "
        "drinks and "
        "{shirts $} on shirts.",
        "How much money is left for charity?",
        (
            ("At first [runners*laps=first lap] are run.", "The extra laps are [fast*bonus=second lap].",
             "All laps together are [first+second=altogether lap].", "The sponsors give [altogether*pledge=given $].",
             "The organizers spend [drinks+shirts=spent $].", "For charity [given-spent=left $] are left."),
            ("At first [runners*laps=first lap] are run.",
             "For the first laps the sponsors give [first*pledge=early $].",
             "The extra laps are [fast*bonus=second lap].",
             "For the extra laps the sponsors give [second*pledge=late $].",
             "The sponsors give [early+late=given $].", "The organizers spend [drinks+shirts=spent $].",
             "For charity [given-spent=left $] are left."),
        ),
        where=lambda given: given.fast < given.runners,
        asides=("The park where they run has {x} benches.", "The run starts {x} minutes after noon."),
    ),
    Template(
        "printing_a_newspaper",
        {"copies": span(40, 200, 10), "pages": just(4, 16, 2), "sheet": span("0.05", "0.2", "0.05"), "ads": span(3, 12),
         "ad": span(15, 50, 5), "price": span(1, 4)},
        "A school newspaper has {pages page}, two on each sheet of paper. Printed, a sheet costs {sheet $}. The "
        "pupils print "
        "{copies copy} and sell all of them at {price $} each. Besides, {ads shop} pay {ad $} each for an "
        "advertisement.",
        "How much do the pupils gain?",
        (
            ("A copy takes [pages/2=sheets sheet].", "All copies take [copies*sheets=altogether sheet].",
             "The printing costs [altogether*sheet=cost $].", "The copies bring in [copies*price=sales $].",
             "The advertisements bring in [ads*ad=paid $].",
             "Copies and advertisements bring in [sales+paid=income $] together.",
             "The pupils gain [income-cost=gain $]."),
            ("A copy takes [pages/2=sheets sheet].", "Printing a copy costs [sheets*sheet=one $].",
             "A copy sold brings a gain of [price-one=each $].",
             "All copies bring a gain of [copies*each=from_copies $].",
             "The advertisements bring in [ads*ad=paid $].", "The pupils gain [from_copies+paid=gain $]."),
        ),
        where=lambda given: given.price > given.pages / 2 * given.sheet,
        asides=("The newspaper appears {x} times a year.", "The editors are {x} pupils."),
    ),
    Template(
        "summer_camp_food",
        {"children": span(20, 60, 2), "leaders": span(4, 10), "days": just(4, 10), "bread": just(2, 4),
         "slices": just(12, 24, 2),
         "price": span(2, 5)},
        "At a summer camp are {children child} and {leaders leader}. Every morning each of them eats {bread slice of "
        "bread}. "
        "A loaf has {slices slice} and costs {price $}, and no slice is left over at the end of the camp.",
        "How much does the bread for {days day} cost?",
        (
            ("At the camp are [children+leaders=people person].", "Every morning they eat [people*bread=daily slice].",
             "In all the days they eat [daily*days=altogether slice].", "That makes [altogether/slices=loaves loaf].",
             "The bread costs [loaves*price=cost $]."),
            ("At the camp are [children+leaders=people person].", "In all the days each eats [bread*days=each slice].",
             "All people together eat [people*each=altogether slice].", "That makes [altogether/slices=loaves loaf].",
             "The bread costs [loaves*price=cost $]."),
        ),
        where=lambda given: (given.children + given.leaders) * given.bread * given.days % given.slices == 0,
        asides=("The camp has {x} tents.", "The camp lies {x} kilometers from the next village."),
    ),
)  # fmt: skip
