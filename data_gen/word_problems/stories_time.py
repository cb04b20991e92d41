"""Stories of work, travel and time."""

from data_gen.word_problems.template import Template, just, span

LENGTHS = ("mile", "kilometer")

STORIES = (
    Template(
        "trip_at_two_speeds",
        {"t": just(2, 5), "slow": just(30, 60, 5), "u": just(2, 5), "fast": just(55, 90, 5)},
        "{A} drives for {t hour} at {slow} {unit s} per hour on small roads. Then {A she} drives for {u hour} at "
        "{fast} "
        "{unit s} per hour on the motorway.",
        "How many {unit s} does {A} drive altogether?",
        (
            ("On small roads {A} drives [t*slow=first unit].", "On the motorway {A she} drives [u*fast=second unit].",
             "Altogether {A} drives [first+second=way unit]."),
            ("{A} drives for [t+u=hours hour].", "At the lower speed all hours would make [hours*slow=base unit].",
             "On the motorway {A} is faster by [fast-slow=gain unit] per hour.",
             "Because of the motorway {A} drives [u*gain=extra unit] more.", "Altogether {A} drives [base+extra=way "
             "unit]."),
        ),
        words={"unit": LENGTHS},
        where=lambda given: given.fast - given.slow > 5,
    ),
    Template(
        "rest_of_a_book",
        {"early": span(8, 30), "days": just(3, 9), "late": span(10, 40), "more": just(3, 9),
         "pages": lambda given: given.early * given.days + given.late * given.more},
        "{A} is reading a book of {pages page}. In the first {days day} {A she} read {early page} a day. From now on "
        "{A she} wants to read {late page} a day.",
        "In how many more days will {A} have read the whole book?",
        (
            ("So far {A} has read [early*days=read page].", "Left are [pages-read=left page].",
             "For these {A she} needs [left/late=needed day]."),
            ("Left are [pages-early*days=left page].", "For these {A} needs [left/late=needed day]."),
        ),
        where=lambda given: given.early != given.late,
        asides=("The book has {x} pictures.", "{A} has had the book for {x} weeks."),
    ),
    Template(
        "way_to_work",
        {"way": span(3, 30), "days": just(3, 6), "weeks": just(2, 12)},
        "{A} lives {way unit} from {A her} office. {A She} drives there and back again on {days} days of every week, "
        "and "
        "drives nowhere else.",
        "How many {unit s} does {A} drive in {weeks week}?",
        (
            ("There and back is [2*way=day unit].", "In a week that is [days*day=week unit].",
             "In all the weeks {A} drives [weeks*week=total unit]."),
            ("In a week there are [2*days=trips single drive].",
             "In all there are [weeks*trips=all_trips single drive].",
             "{A} drives [all_trips*way=total unit]."),
            ("The number of days is [weeks*days=all_days].", "There and back is [2*way=day unit].",
             "{A} drives [all_days*day=total unit]."),
        ),
        words={"unit": LENGTHS},
    ),
    Template(
        "fuel_for_a_visit",
        {"per": just(20, 40, 5), "gallons": just(2, 9), "price": span("2.5", "4.5", "0.25"),
         "way": lambda given: given.per * given.gallons},
        "{A} drives to {A her} sister, who lives {way mile} away, and back on the same road. {A Her} car goes {per "
        "mile} "
        "on a gallon of fuel, and a gallon costs {price $}.",
        "How much does the fuel for the whole drive cost?",
        (
            ("There and back is [2*way=drive mile].", "For this the car needs [drive/per=fuel gallon].",
             "The fuel costs [fuel*price=cost $]."),
            ("For one way the car needs [way/per=one_way gallon].", "One way costs [one_way*price=half $].",
             "There and back costs [2*half=cost $]."),
        ),
    ),
    Template(
        "overtime",
        {"hours": just(20, 40, 5), "wage": span(10, 25), "over": just(2, 10), "extra": span(2, 10)},
        "{A} earns {wage $} an hour. For each hour of overtime {A she} earns {extra $} more than for a usual hour. "
        "Last "
        "week {A she} worked {hours} usual hours and {over hour} of overtime.",
        "How much did {A} earn last week?",
        (
            ("The usual hours bring [hours*wage=usual $].", "An hour of overtime brings [wage+extra=rate $].",
             "The overtime brings [over*rate=late $].", "{A} earned [usual+late=earned $]."),
            ("{A} worked [hours+over=all_hours hour].", "At the usual wage all hours bring [all_hours*wage=base $].",
             "For the overtime {A she} gets [over*extra=more $] more.", "{A} earned [base+more=earned $]."),
        ),
        asides=("{A} has worked there for {x} months.", "{A} has {x} colleagues."),
    ),
    Template(
        "two_workers",
        {"a": span(4, 20), "b": span(4, 20), "hours": just(2, 8)},
        "In a workshop {A} makes {a thing} an hour, and {B} makes {b} an hour.",
        "How many {thing s} do they make together in {hours hour}?",
        (
            ("In an hour they make [a+b=both thing] together.",
             "In {hours hour} they make [both*hours=altogether thing]."),
            ("{A} makes [a*hours=first thing].", "{B} makes [b*hours=second thing].",
             "Together they make [first+second=altogether thing]."),
        ),
        words={"thing": ("basket", "candle holder", "wooden spoon", "kite")},
        where=lambda given: given.a != given.b,
    ),
    Template(
        "leaking_tank",
        {"full": span(50, 300, 10), "fill": span(8, 30), "leak": span(2, 7), "minutes": just(5, 30, 5)},
        "A tank holds {full liter} of water when {A} turns on a tap. Every minute {fill liter} flow in, and {leak "
        "liter} "
        "leak out. The tank is large enough not to overflow.",
        "How many liters of water are in the tank after {minutes minute}?",
        (
            ("Every minute the tank gains [fill-leak=net liter].",
             "In all the minutes it gains [net*minutes=gain liter].",
             "It then holds [full+gain=then liter]."),
            ("In all [fill*minutes=flowed liter] flow in.", "In all [leak*minutes=lost liter] leak out.",
             "Without the leak the tank would hold [full+flowed=most liter].", "It then holds [most-lost=then liter]."),
        ),
        where=lambda given: given.fill - given.leak > 2,
    ),
    Template(
        "practice_in_a_week",
        {"work": just(15, 45, 5), "end": just(50, 120, 10)},
        "{A} practices the {instrument} for {work minute} on each of the five days from Monday to Friday, and for "
        "{end minute} on each of the other two days of the week.",
        "How many minutes does {A} practice from Monday to Sunday?",
        (
            ("From Monday to Friday that is [5*work=early minute].",
             "On Saturday and Sunday it is [2*end=late minute].",
             "Together that is [early+late=week minute]."),
            ("Seven days like Monday would be [7*work=base minute].",
             "A day of the weekend has [end-work=more minute] more.",
             "Both days of the weekend have [2*more=extra minute] more.",
             "Together that is [base+extra=week minute]."),
        ),
        words={"instrument": ("piano", "violin", "flute", "drums")},
    ),
    Template(
        "typing_with_breaks",
        {"speed": just(20, 60, 5), "time": just(5, 40, 5), "breaks": just(2, 5), "rest": just(2, 10),
         "n": lambda given: given.speed * given.time},
        "{A} types a report of {n word} at {speed} words a minute. While doing so {A she} takes {breaks break} of "
        "{rest minute} each.",
        "How many minutes does {A} need with the breaks?",
        (
            ("The typing takes [n/speed=typing minute].", "The breaks take [breaks*rest=pauses minute].",
             "With the breaks {A} needs [typing+pauses=needed minute]."),
            ("{A} needs [n/speed+breaks*rest=needed minute].",),
        ),
        asides=("The report has {x} footnotes.", "{A} has written {x} reports this year."),
    ),
    Template(
        "laps_in_kilometers",
        {"lap": just(200, 800, 50), "laps": span(4, 20)},
        "{A} {moves} {laps lap} around a lake. The path around it is {lap meter} long, and a kilometer has 1000 "
        "meters.",
        "How many kilometers is that?",
        (
            ("That is [lap*laps=meters meter].", "In kilometers it is [meters/1000=way kilometer]."),
            ("A lap is [lap/1000=one] kilometers long.", "All laps together are [one*laps=way] kilometers long."),
        ),
        decimals=True,
        words={"moves": ("runs", "walks", "cycles")},
    ),
    Template(
        "burning_candle",
        {"tall": just(15, 40), "rate": just("0.5", "2.5", "0.25"), "hours": just(3, 9)},
        "A candle is {tall centimeter} tall when {A} lights it. It gets {rate} centimeters shorter every hour.",
        "How many centimeters tall is the candle after {hours hour}?",
        (
            ("By then [rate*hours=burned centimeter] have burned down.",
             "What is left is [tall-burned=left] centimeters tall."),
            ("What is left is [tall-rate*hours=left] centimeters tall.",),
        ),
    ),
    Template(
        "cyclists_meet",
        {"a": just(9, 18), "b": just(10, 20), "hours": just(2, 4), "gap": just(5, 40, 5),
         "apart": lambda given: (given.a + given.b) * given.hours + given.gap},
        "Two towns are {apart unit} apart. {A} starts in one of them and {B} in the other at the same time, and they "
        "cycle toward each other on the same straight road, {A} at {a} and {B} at {b} {unit s} per hour.",
        "How many {unit s} apart are they after {hours hour}?",
        (
            ("Each hour they come [a+b=closer unit] closer.",
             "After the ride they are [closer*hours=nearer unit] closer.",
             "They are still [apart-nearer=left unit] apart."),
            ("{A} has ridden [a*hours=first unit].", "{B} has ridden [b*hours=second unit].",
             "From {A} to the other town it is still [apart-first=rest unit].",
             "They are still [rest-second=left unit] apart."),
        ),
        words={"unit": LENGTHS},
        where=lambda given: given.a != given.b,
        asides=("The larger of the two towns has {x} schools.",),
    ),
    Template(
        "assembly_line",
        {"rate": span(10, 60, 2), "hours": just(4, 9), "bad": just(5, 20, 5), "days": just(2, 6)},
        "A machine makes {rate part} an hour and runs for {hours} hours a day. Of all the parts that it makes, {bad "
        "%} are "
        "faulty and thrown away.",
        "How many good parts does the machine make in {days day}?",
        (
            ("In a day it makes [rate*hours=daily part].", "In all the days it makes [daily*days=altogether part].",
             "Faulty are [altogether*bad/100=faulty part].", "Good are [altogether-faulty=good part]."),
            ("In a day it makes [rate*hours=daily part].", "Good are [100-bad=share %] of all parts.",
             "The good ones of a day are [daily*share/100=good_daily part].", "The good ones of all the days are "
             "[good_daily*days=good part]."),
        ),
        words={"part": ("screw", "bolt", "valve", "spring")},
        asides=("The machine was bought {x} months ago.", "The machine needs {x} liters of oil a year."),
    ),
    Template(
        "delivery_rounds",
        {"first": span(12, 40), "fewer": span(3, 10), "minutes": just(2, 5)},
        "A courier delivers {first parcel} on a first round and {fewer} fewer on a second one. Each parcel takes the "
        "courier {minutes minute}.",
        "How many minutes do both rounds take?",
        (
            ("The second round has [first-fewer=second parcel].", "Both have [first+second=altogether parcel].",
             "They take [altogether*minutes=time minute]."),
            ("The second round has [first-fewer=second parcel].", "The first round takes [first*minutes=early minute].",
             "The second round takes [second*minutes=late minute].", "Both take [early+late=time minute]."),
        ),
        where=lambda given: given.first - given.fewer > 2,
    ),
    Template(
        "sleep_over_a_week",
        {"usual": just(6, 8), "early": just(2, 4), "long": just(9, 11)},
        "In a certain week {A} slept {usual} hours in each of {early} nights and {long} hours in each of the other "
        "nights "
        "of the seven.",
        "How many hours did {A} sleep in that week?",
        (
            ("The short nights came to [usual*early=short hour].", "There were [7-early=others] other nights.",
             "The other nights came to [others*long=rest hour].", "In that week {A} slept [short+rest=week hour]."),
            ("If all nights had been long, that would be [7*long=most hour].",
             "A short night had [long-usual=missing hour] less.",
             "All short nights had [early*missing=less hour] less.",
             "In that week {A} slept [most-less=week hour]."),
        ),
        where=lambda given: given.long - given.usual >= 2,
    ),
)  # fmt: skip
