"""Stories of lengths, areas, weights and amounts."""

from data_gen.word_problems.template import Template, just, span

STORIES = (
    Template(
        "fence_around_a_garden",
        {"long": span(8, 40), "wide": span(4, 30), "price": span(3, 15)},
        "{A} builds a fence around a rectangular garden that is {long unit} long and {wide unit} wide. Each {unit} of "
        "the "
        "fence costs {price $}.",
        "How much does the whole fence cost?",
        (
            ("A long and a short side are [long+wide=half unit].", "Around the garden it is [2*half=around unit].",
             "The fence costs [around*price=cost $]."),
            ("The two long sides are [2*long=lengths unit].", "The two short sides are [2*wide=widths unit].",
             "Around the garden it is [lengths+widths=around unit].", "The fence costs [around*price=cost $]."),
        ),
        words={"unit": ("meter", "yard")},
        where=lambda given: given.long > given.wide,
    ),
    Template(
        "tiles_for_a_floor",
        {"long": span(3, 10), "wide": span(2, 8), "tiles": just(4, 16, 2), "box": just(6, 24, 2)},
        "{A} covers the rectangular floor of a {room}, {long} meters long and {wide} meters wide, with tiles. A square "
        "meter takes {tiles tile}. The tiles come in boxes of {box}.",
        "How many boxes does {A} need if no tile is left over?",
        (
            ("The floor has [long*wide=area square meter].", "It takes [area*tiles=altogether tile].",
             "{A} needs [altogether/box=boxes box]."),
            ("A strip as long as the {room} and a meter wide takes [long*tiles=strip tile].",
             "The whole floor takes [strip*wide=altogether tile].", "{A} needs [altogether/box=boxes box]."),
        ),
        words={"room": ("kitchen", "hallway", "bathroom")},
        where=lambda given: given.long > given.wide and given.long * given.wide * given.tiles % given.box == 0,
    ),
    Template(
        "painting_a_wall",
        {"long": span(4, 14), "high": just(3, 5), "window": span(2, 9), "can": just(2, 8)},
        "{A} paints a rectangular wall {long} meters long and {high} meters high. A window in it of {window square "
        "meter} "
        "is not painted. One can of paint is enough for {can square meter}.",
        "How many cans of paint does {A} use?",
        (
            ("The wall has [long*high=wall square meter].", "To be painted are [wall-window=area square meter].",
             "{A} uses [area/can=cans can]."),
            ("To be painted are [long*high-window=area square meter].", "{A} uses [area/can=cans can]."),
        ),
        where=lambda given: given.long * given.high > given.window
        and (given.long * given.high - given.window) % given.can == 0,
    ),
    Template(
        "recipe_for_more",
        {"people": just(2, 6), "times": just(2, 6), "one": span(20, 90, 5),
         "flour": lambda given: given.people * given.one, "guests": lambda given: given.people * given.times},
        "A recipe for {people person} takes {flour gram} of {food}. {A} cooks it for {guests person}.",
        "How many grams of {food} does {A} need?",
        (
            ("Each person gets [flour/people=portion gram].", "{A} needs [portion*guests=needed gram]."),
            ("{A} cooks [guests/people=factor] times as much as in the recipe.",
             "{A} needs [flour*factor=needed gram]."),
        ),
        words={"food": ("flour", "rice", "lentils", "pasta")},
        asides=("The recipe comes from a book with {x} recipes.", "{A} has {x} cookbooks."),
    ),
    Template(
        "bottles_into_glasses",
        {"bottles": span(3, 20), "bottle": just("0.5", "2", "0.25"), "glass": just("0.2", "0.5", "0.05")},
        "{A} pours {bottles bottle} of juice, {bottle} liters each, into glasses. Each glass is filled with {glass} "
        "liters.",
        "How many glasses does {A} fill if all of the juice is poured?",
        (
            ("The bottles hold [bottles*bottle=juice liter].", "{A} fills [juice/glass=glasses glass]."),
            ("A bottle fills [bottle/glass=each glass].", "{A} fills [bottles*each=glasses glass]."),
        ),
        where=lambda given: given.bottle % given.glass == 0,
    ),
    Template(
        "rope_in_pieces",
        {"pieces": span(3, 9), "each": just("0.5", "3.5", "0.25"), "parts": just(2, 5), "part": just("0.5", "4", "0.5"),
         "rope": lambda given: given.pieces * given.each + given.parts * given.part},
        "From a rope {rope} meters long {A} cuts {pieces piece} of {each} meters each. {A She} cuts what is left into "
        "{parts} equal parts.",
        "How many meters long is each of these parts?",
        (
            ("The pieces take up [pieces*each=used meter].", "What is left measures [rope-used=left meter].",
             "Each part is [left/parts=part_length] meters long."),
            ("What is left measures [rope-pieces*each=left meter].",
             "Each part is [left/parts=part_length] meters long."),
        ),
    ),
    Template(
        "crates_of_fruit",
        {"crates": span(3, 15), "melons": span(4, 12), "melon": just("1.5", "4", "0.5"), "crate": just("0.5", "3",
         "0.5")},
        "{A} loads {crates crate} of melons onto a truck. In each crate lie {melons melon}. A melon weighs {melon} "
        "kilograms, and an empty crate weighs {crate} kilograms.",
        "How many kilograms does {A} load in all?",
        (
            ("The melons of a crate weigh [melons*melon=fruit kilogram].",
             "A full crate weighs [fruit+crate=full kilogram].", "In all {A} loads [crates*full=load kilogram]."),
            ("There are [crates*melons=number melon].", "All melons weigh [number*melon=fruit kilogram].",
             "The empty crates weigh [crates*crate=wood kilogram].", "In all {A} loads [fruit+wood=load kilogram]."),
        ),
        where=lambda given: given.melon != given.crate,
    ),
    Template(
        "temperature_of_a_day",
        {"dawn": just(3, 15), "rise": just(6, 15), "fall": just(3, 12)},
        "At dawn {A}'s thermometer shows {dawn degree}. By noon the temperature rises by {rise degree}, and then until "
        "night it falls by {fall degree}.",
        "How many degrees does the thermometer show at night?",
        (
            ("At noon it shows [dawn+rise=noon degree].", "At night it shows [noon-fall=night degree]."),
            ("From dawn to night the temperature rises by [rise-fall=change degree].",
             "At night it shows [dawn+change=night degree]."),
        ),
        where=lambda given: given.rise - given.fall >= 2,
        asides=("{A} has had the thermometer for {x} years.", "It is {x} days until {A}'s holidays."),
    ),
    Template(
        "patchwork_blanket",
        {"side": just(10, 25, 5), "across": span(4, 14), "down": span(5, 16),
         "wide": lambda given: given.side * given.across, "long": lambda given: given.side * given.down},
        "{A} sews a rectangular blanket, {wide} centimeters wide and {long} centimeters long, from square patches. The "
        "sides of each patch are {side} centimeters long.",
        "How many patches does {A} need?",
        (
            ("Across the blanket fit [wide/side=columns patch].", "Along it fit [long/side=lines patch].",
             "{A} needs [columns*lines=patches patch]."),
            ("The blanket has [wide*long=blanket square centimeter].",
             "A patch has [side*side=patch square centimeter].",
             "{A} needs [blanket/patch=patches patch]."),
        ),
        where=lambda given: given.across < given.down,
    ),
    Template(
        "aquarium",
        {"long": just(4, 12), "wide": just(3, 6), "high": just(4, 8), "full": just(50, 90, 10)},
        "{A}'s aquarium is a box {long} decimeters long, {wide} decimeters wide and {high} decimeters high. A cubic "
        "decimeter holds one liter. {A} fills {full %} of it with water.",
        "How many liters of water does {A} fill in?",
        (
            ("The bottom has [long*wide=bottom square decimeter].", "The aquarium holds [bottom*high=whole liter].",
             "{A} fills in [whole*full/100=water liter]."),
            ("The bottom has [long*wide=bottom square decimeter].",
             "The water stands [high*full/100=level decimeter] high.", "{A} fills in [bottom*level=water liter]."),
        ),
    ),
    Template(
        "distance_on_a_map",
        {"scale": just(2, 25), "first": just(3, 12), "second": just(2, 10)},
        "On a map one centimeter stands for {scale unit}. {A} plans a hike in two parts, which are {first} and "
        "{second} "
        "centimeters long on the map.",
        "How many {unit s} long is the hike?",
        (
            ("On the map the hike is [first+second=both centimeter] long.",
             "In fact it is [both*scale=hike unit] long."),
            ("The first part is [first*scale=early unit] long.", "The second part is [second*scale=late unit] long.",
             "The hike is [early+late=hike unit] long."),
        ),
        words={"unit": ("kilometer", "mile")},
        where=lambda given: given.first != given.second,
    ),
    Template(
        "bag_of_dog_food",
        {"meal": just(50, 300, 25), "meals": just(2, 4), "bag": just(3, 15)},
        "{A} gives {A her} dog {meals} meals a day of {meal gram of dog food} each. A kilogram has 1000 grams.",
        "For how many days is a bag of {bag kilogram} enough?",
        (
            ("Every day the dog eats [meals*meal=daily gram].", "In the bag are [bag*1000=altogether gram].",
             "The bag is enough for [altogether/daily=days day]."),
            ("In the bag are [bag*1000=altogether gram].", "This is enough for [altogether/meal=portions meal].",
             "These last for [portions/meals=days day]."),
        ),
        where=lambda given: given.bag * 1000 % (given.meal * given.meals) == 0,
        asides=("{A}'s dog is {x} months old.", "{A} walks {A her} dog for {x} minutes a day."),
    ),
    Template(
        "watering_plants",
        {"plants": span(6, 30), "each": just("0.5", "2.5", "0.25"), "days": just(3, 10), "left": span(10, 90),
         "barrel": lambda given: given.plants * given.each * given.days + given.left},
        "In {A}'s garden a barrel holds {barrel} liters of rain water. From it {A} waters {plants plant} every day "
        "with "
        "{each} liters each. It does not rain.",
        "How many liters are in the barrel after {days day}?",
        (
            ("Every day the plants get [plants*each=daily liter].", "In all the days they get [daily*days=used liter].",
             "In the barrel stay [barrel-used=rest liter]."),
            ("In all the days one plant gets [each*days=one liter].", "All plants get [plants*one=used liter].",
             "In the barrel stay [barrel-used=rest liter]."),
        ),
    ),
    Template(
        "books_on_shelves",
        {"shelves": span(3, 8), "wide": just(60, 120, 10), "thick": just(2, 5), "there": span(10, 60)},
        "{A} buys {shelves shelf}, each {wide} centimeters wide, for books that are {thick} centimeters thick. {A She} "
        "puts the {there} such books that {A she} has on them.",
        "How many more such books fit if each shelf holds one row?",
        (
            ("A shelf holds [wide/thick=each book].", "All shelves hold [shelves*each=altogether book].",
             "So [altogether-there=more book] more fit on them."),
            ("The shelves are [shelves*wide=width centimeter] wide in all.", "They hold [width/thick=altogether book].",
             "So [altogether-there=more book] more fit on them."),
        ),
        where=lambda given: given.wide % given.thick == 0,
    ),
    Template(
        "blend_of_tea",
        {"a": span(2, 9), "p": span(8, 20), "b": span(2, 9), "q": span(21, 40)},
        "{A} mixes {a kilogram} of a {kind} that costs {p $} a kilogram with {b kilogram} of one that costs {q $} a "
        "kilogram.",
        "How much does a kilogram of the mixture cost?",
        (
            ("The cheaper part costs [a*p=cheap $].", "The dearer part costs [b*q=dear $].",
             "The mixture costs [cheap+dear=whole $].", "The mixture weighs [a+b=weight kilogram].",
             "A kilogram of it costs [whole/weight=mixed $]."),
            ("The mixture weighs [a+b=weight kilogram].", "All at the lower price would cost [weight*p=low $].",
             "A kilogram of the dearer kind costs [q-p=more $] more.", "The dearer part adds [b*more=extra $].",
             "The mixture costs [low+extra=whole $].", "A kilogram of it costs [whole/weight=mixed $]."),
        ),
        words={"kind": ("tea", "coffee", "spice")},
        where=lambda given: (given.a * given.p + given.b * given.q) % (given.a + given.b) == 0,
    ),
)  # fmt: skip
