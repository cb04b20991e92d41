"""Stories of buying, selling, saving and earning."""

from data_gen.word_problems.template import Template, just, span

STORIES = (
    Template(
        "market_two_goods",
        {"a": span(2, 9), "p": span(2, 8), "b": span(2, 9), "q": span(2, 8)},
        "At the market {A} buys {a fruit} at {p $} each and {b vegetable} at {q $} each.",
        "How much does {A} pay in all?",
        (
            ("The {fruit s} cost [a*p=fruit_cost $].", "The {vegetable s} cost [b*q=vegetable_cost $].",
             "In all {A} pays [fruit_cost+vegetable_cost=total $]."),
            ("Both together cost [a*p+b*q=total $].",),
        ),
        words={"fruit": ("melon", "pineapple", "mango"), "vegetable": ("cabbage", "pumpkin", "eggplant")},
        where=lambda given: given.p != given.q,
    ),
    Template(
        "change_for_a_note",
        {"n": span(2, 6), "price": span(2, 9), "note": just(20, 100, 10)},
        "{A} buys {n item} for {price $} each and gives the cashier {note $}.",
        "How much change does {A} get back?",
        (
            ("The {item s} cost [n*price=cost $].", "{A} gets back [note-cost=change $]."),
            ("{A} gets back [note-n*price=change $].",),
        ),
        words={"item": ("notebook", "candle", "comic book", "pair of socks")},
    ),
    Template(
        "percent_off",
        {"price": span(20, 200, 10), "off": just(10, 60, 5)},
        "{A} wants to buy {thing a} that usually costs {price $}. This week it is sold at {off %} off.",
        "How much does {A} pay for it this week?",
        (
            ("The discount is [price*off/100=discount $].", "{A} pays [price-discount=paid $]."),
            ("{A} still has to pay [100-off=rest %] of the price.", "That comes to [price*rest/100=paid $]."),
        ),
        words={"thing": ("jacket", "lamp", "rucksack", "umbrella")},
    ),
    Template(
        "discount_then_coupon",
        {"price": span(40, 300, 20), "off": just(10, 50, 10), "coupon": span(3, 15)},
        "{thing} costs {price $} in a shop. {A} gets {off %} off as a member of the shop's club, and after that "
        "{A she} uses a coupon that takes {coupon $} off what is left.",
        "How much does {A} pay in the end?",
        (
            ("Members save [price*off/100=saved $].", "Without the coupon {A} would pay [price-saved=member $].",
             "With the coupon {A she} pays [member-coupon=paid $]."),
            ("Members pay [100-off=rest %] of the price.", "That would be [price*rest/100=member $].",
             "With the coupon {A} pays [member-coupon=paid $]."),
            ("Members save [price*off/100=saved $].", "Together with the coupon {A} saves [saved+coupon=less $].",
             "{A She} pays [price-less=paid $]."),
        ),
        words={"thing": ("The new keyboard", "The tent", "The coffee machine")},
    ),
    Template(
        "shared_lunch_with_tip",
        {"first": span(8, 30), "second": span(8, 30), "tip": just(10, 20, 5)},
        "{A} and {B} have lunch together. {A}'s meal costs {first $}, and {B}'s meal costs {second $}. They add a tip "
        "of {tip %} of the bill and split everything equally between the two of them.",
        "How much does each of them pay?",
        (
            ("The bill is [first+second=bill $].", "The tip is [bill*tip/100=extra $].",
             "With the tip they pay [bill+extra=whole $].", "Each of them pays [whole/2=each $]."),
            ("The bill is [first+second=bill $].", "Half of the bill is [bill/2=half $].",
             "Half of the tip is [half*tip/100=half_tip $].", "Each of them pays [half+half_tip=each $]."),
        ),
        where=lambda given: given.first != given.second,
    ),
    Template(
        "packs_or_single",
        {"single": span(2, 6), "size": span(4, 12), "packs": span(2, 8), "pack": span(6, 50),
         "n": lambda given: given.size * given.packs},
        "A single {item} costs {single $}, and a box with {size item} costs {pack $}. {A} needs {n item} for a party.",
        "How much does {A} save by buying boxes instead of single {item s}?",
        (
            ("{A} needs [n/size=boxes box].", "The boxes cost [boxes*pack=box_cost $].",
             "Bought singly, the {item s} would cost [n*single=single_cost $].",
             "{A} saves [single_cost-box_cost=saved $]."),
            ("As many single {item s} as are in a box cost [size*single=same $].",
             "Each box saves [same-pack=box_saving $].", "{A} needs [n/size=boxes box].",
             "{A} saves [boxes*box_saving=saved $]."),
        ),
        words={"item": ("balloon", "paper lantern", "party hat")},
        where=lambda given: given.size * given.single > given.pack,
    ),
    Template(
        "saving_for_something",
        {"has": span(10, 80, 5), "weekly": span(4, 20), "weeks": span(3, 15),
         "price": lambda given: given.has + given.weekly * given.weeks},
        "{A} is saving for {thing a} that costs {price $}. {A She} already has {has $} and puts aside {weekly $} at "
        "the "
        "end of every week.",
        "After how many weeks does {A she} have just enough?",
        (
            ("{A} still needs [price-has=missing $].", "This takes [missing/weekly=weeks_needed week]."),
            ("Saving the rest takes [(price-has)/weekly=weeks_needed week].",),
        ),
        words={"thing": ("bicycle", "guitar", "telescope", "camera")},
    ),
    Template(
        "sent_back",
        {"n": span(4, 9), "price": span(8, 30), "back": span(2, 7), "delivery": span(3, 9)},
        "{A} orders {n item} online at {price $} each and pays {delivery $} for the delivery of the whole order. Then "
        "{A she} sends {back item} back and gets their price refunded, but nothing of the delivery.",
        "How much has {A} spent in the end?",
        (
            ("{A} keeps [n-back=kept item].", "These cost [kept*price=worth $].",
             "With the delivery {A} has spent [worth+delivery=spent $]."),
            ("The order costs [n*price=goods $].", "With the delivery the order costs [goods+delivery=paid $].",
             "The refund is [back*price=refund $].", "In the end {A} has spent [paid-refund=spent $]."),
        ),
        words={"item": ("shirt", "sweater", "cap", "scarf")},
        where=lambda given: given.n - given.back >= 2,
    ),
    Template(
        "lemonade_stand",
        {"cups": span(20, 60), "p": span("0.5", "2.5", "0.25"), "cookies": span(10, 40), "q": span("0.5", "2", "0.25"),
         "cost": span(5, 25)},
        "At a street fair {A} sells {cups cup of lemonade} at {p $} each and {cookies cookie} at {q $} each. "
        "Everything "
        "that {A she} needed for it cost {cost $}.",
        "How much profit does {A} make?",
        (
            ("The lemonade brings in [cups*p=drinks $].", "The cookies bring in [cookies*q=snacks $].",
             "The sales come to [drinks+snacks=sales $].", "The profit is [sales-cost=profit $]."),
            ("The lemonade brings in [cups*p=drinks $].", "After the costs, the lemonade leaves [drinks-cost=kept $].",
             "The cookies bring in [cookies*q=snacks $].", "The profit is [kept+snacks=profit $]."),
        ),
        where=lambda given: given.p != given.q,
    ),
    Template(
        "average_of_three",
        {"x": span(6, 40), "y": span(6, 40), "z": span(6, 40)},
        "{A} buys three presents. They cost {x $}, {y $} and {z $}.",
        "How much does a present cost on average?",
        (
            ("All three cost [x+y+z=altogether $].", "The average is [altogether/3=average $]."),
            ("The first two cost [x+y=two $].", "All three cost [two+z=altogether $].",
             "The average is [altogether/3=average $]."),
            ("The average is [(x+y+z)/3=average $].",),
        ),
        where=lambda given: len({given.x, given.y, given.z}) == 3,
    ),
    Template(
        "monthly_payments",
        {"months": just(4, 12, 2), "part": span(10, 60), "down": span(20, 200, 10), "fee": span(2, 6),
         "price": lambda given: given.months * given.part + given.down},
        "{thing} costs {price $}. {A} pays {down $} at once and the rest in {months} equal monthly payments. A fee of "
        "{fee $} is added to each monthly payment.",
        "How much is each monthly payment with the fee?",
        (
            ("After the first payment {A} owes [price-down=rest $].",
             "Without the fee each monthly payment is [rest/months=plain $].",
             "With the fee it is [plain+fee=payment $]."),
            ("After the first payment {A} owes [price-down=rest $].", "All fees come to [months*fee=fees $].",
             "The monthly payments come to [rest+fees=payments $] altogether.",
             "Each of them is [payments/months=payment $]."),
        ),
        words={"thing": ("A used scooter", "A sofa", "A washing machine")},
    ),
    Template(
        "buying_foreign_money",
        {"amount": span(40, 200, 10), "rate": span("1.05", "1.45", "0.05"), "fee": span(2, 9)},
        "Before a trip {A} buys {amount euro} at a bank. One euro costs {rate $}, and the bank charges a fee of {fee "
        "$} "
        "for the exchange.",
        "How many dollars does {A} pay?",
        (
            ("The euros cost [amount*rate=euros $].", "With the fee {A} pays [euros+fee=paid $]."),
            ("{A} pays [amount*rate+fee=paid $].",),
        ),
    ),
    Template(
        "coins_in_a_jar",
        {"quarters": span(3, 30), "dimes": span(3, 30), "nickels": span(3, 30)},
        "In {A}'s jar are {quarters quarter}, {dimes dime} and {nickels nickel}. A quarter is worth 25 cents, a dime "
        "10 "
        "cents and a nickel 5 cents.",
        "How many cents are in the jar?",
        (
            ("The quarters are worth [quarters*25=in_quarters cent].", "The dimes are worth [dimes*10=in_dimes cent].",
             "The nickels are worth [nickels*5=in_nickels cent].",
             "Together that is [in_quarters+in_dimes+in_nickels=cents cent]."),
            ("Counted in nickels, the quarters are [quarters*5=as_nickels nickel].",
             "Counted in nickels, the dimes are [dimes*2=more_nickels nickel].",
             "That is as much as [as_nickels+more_nickels+nickels=all_nickels nickel].",
             "They are worth [all_nickels*5=cents cent]."),
        ),
    ),
    Template(
        "yearly_or_monthly",
        {"month": span(6, 30), "cheap": span(4, 28), "year": lambda given: given.cheap * 12},
        "A {club} costs {month $} a month, or {year $} for a whole year if it is paid at once.",
        "How much does {A} save by paying for the whole year at once, instead of twelve single months?",
        (
            ("Twelve single months cost [12*month=months $].", "{A} saves [months-year=saved $]."),
            ("Paid at once, a month costs [year/12=cheaper $].", "Each month saves [month-cheaper=gain $].",
             "In a year {A} saves [12*gain=saved $]."),
        ),
        words={"club": ("gym membership", "streaming service", "music course", "parking space")},
        where=lambda given: given.month - given.cheap >= 2,
    ),
    Template(
        "tickets_for_a_family",
        {"adults": span(2, 6), "children": span(2, 9), "adult": span(8, 25), "less": span(2, 8)},
        "A ticket for the {place} costs {adult $} for an adult and {less $} less for a child. A group of {adults "
        "adult} "
        "and {children child} goes there.",
        "How much do all their tickets cost together?",
        (
            ("A child's ticket costs [adult-less=child $].", "The adults' tickets cost [adults*adult=for_adults $].",
             "The children's tickets cost [children*child=for_children $].",
             "Together they cost [for_adults+for_children=total $]."),
            ("The group has [adults+children=people person].",
             "At the adults' price that would be [people*adult=full $].",
             "For the children the group pays [children*less=reduction $] less.",
             "The tickets cost [full-reduction=total $]."),
        ),
        words={"place": ("zoo", "museum", "circus", "water park")},
        asides=("The {place} has {x} employees.", "The {place} opened {x} years ago."),
        where=lambda given: given.adult - given.less >= 2,
    ),
    Template(
        "sales_tax",
        {"n": span(2, 8), "price": span(10, 60, 5), "tax": just(4, 10, 2)},
        "{A} buys {n chair} for {room}. Each costs {price $}, and a sales tax of {tax %} is added at the end.",
        "How much does {A} pay with the tax?",
        (
            ("Without the tax the chairs cost [n*price=net $].", "The tax is [net*tax/100=extra $].",
             "{A} pays [net+extra=paid $]."),
            ("The tax on one chair is [price*tax/100=one_tax $].",
             "With the tax one chair costs [price+one_tax=one $].",
             "{A} pays [n*one=paid $]."),
        ),
        words={"room": ("the kitchen", "the garden", "the office")},
    ),
    Template(
        "simple_interest",
        {"put": span(200, 2000, 100), "rate": just(2, 8), "years": just(2, 6)},
        "{A} puts {put $} into an account that pays simple interest of {rate %} of this amount every year. {A She} "
        "takes "
        "nothing out.",
        "How much is in the account after {years year}?",
        (
            ("Each year brings [put*rate/100=yearly $].", "The interest comes to [yearly*years=interest $].",
             "In the account is [put+interest=total $]."),
            ("The interest is [rate*years=percent %] of the amount.",
             "That is [put*percent/100=interest $].", "In the account is [put+interest=total $]."),
        ),
    ),
    Template(
        "phone_bill",
        {"base": span(10, 30), "included": just(100, 300, 50), "over": span(10, 90, 10),
         "rate": span("0.1", "0.5", "0.1"), "data": span(2, 9), "gigabyte": span(2, 6),
         "minutes": lambda given: given.included + given.over},
        "{A}'s phone contract costs {base $} a month with {included} minutes of calls. Each minute beyond these costs "
        "{rate $}, and each gigabyte of data costs {gigabyte $}. Last month {A} made calls of {minutes minute} in all "
        "and "
        "used {data gigabyte of data}.",
        "How much was {A}'s bill for last month?",
        (
            ("Beyond the contract {A} made calls of [minutes-included=extra minute].",
             "The extra minutes cost [extra*rate=calls $].", "The data costs [data*gigabyte=data_cost $].",
             "Without the data the bill would be [base+calls=with_calls $].",
             "The bill was [with_calls+data_cost=bill $]."),
            ("Beyond the contract {A} made calls of [minutes-included=extra minute].",
             "The extra minutes cost [extra*rate=calls $].", "The data costs [data*gigabyte=data_cost $].",
             "Extra minutes and data cost [calls+data_cost=beside $] together.", "The bill was [base+beside=bill $]."),
        ),
        asides=("{A}'s phone is {x} months old.", "{A} has {x} contacts in {A her} phone."),
    ),
    Template(
        "flea_market_profit",
        {"n": span(10, 30), "bought": span(2, 9), "sold": span(5, 20), "kept": span(2, 6), "fee": span(5, 20)},
        "{A} buys {n thing} at {bought $} each. At a flea market {A she} sells all but {kept} of them at {sold $} "
        "each. "
        "The place at the market costs {fee $}.",
        "How much more has {A} taken in than spent?",
        (
            ("{A} sells [n-kept=gone thing].", "The sale brings in [gone*sold=income $].",
             "{A} has paid [n*bought=goods $] for the {thing s}.",
             "With the place {A} has spent [goods+fee=spent $].", "That leaves [income-spent=profit $]."),
            ("{A} sells [n-kept=gone thing].", "The sale brings in [gone*sold=income $].",
             "Less the fee, the sale brings in [income-fee=after $].",
             "{A} has paid [n*bought=goods $] for the {thing s}.", "That leaves [after-goods=profit $]."),
        ),
        words={"thing": ("old record", "vase", "toy car", "picture frame")},
        where=lambda given: given.n - given.kept >= 2,
    ),
)  # fmt: skip
