// Short harmless turns of a chat, made from frames and fillers: what people ask an assistant, say of its answer, and
// say to it. The public corpora hold requests of ten words and more, so that without these a text of three words is
// judged by whichever of them a harmful corpus happened to use.
import type { Example } from './seeds.js'

const split = (text: string): readonly string[] => text.split(/[|\n]/)

const ABLE = split(
  `can you {}?|could you {}|can u {}|are you able to {}?|do you know how to {}?|please {}|will you {} for me
would you {}|i need you to {}|help me {}|let's {}|how do i {}?|how to {}|i want to {}|{}|teach me to {}
where can i {}?|should i {}?|remind me to {}|why do people {}?|is it hard to {}?|when should i {}`,
)
const ACTS = split(
  `write code|write a poem|draw a cat|sing|speak French|understand Spanish|do my homework|tell a joke|read this|code in Rust
translate this|summarize it|check my spelling|fix this bug|explain it again|remember my name|help|do math|count to ten
play chess|play music|call my mom|text my brother|order pizza|book a flight|rent a car|find a hotel|pay my bill|pay rent
check my balance|cancel my order|return a shirt|track a package|change my password|reset my phone|lock my card
freeze my account|report a lost card|report fraud|transfer money|open an account|raise my limit|roll over my pension
file my taxes|call in sick|take a day off|get a raise|quit my job|find a job|write a resume|meet new people|make friends
lose weight|sleep better|cook rice|boil an egg|bake a cake|grill chicken|cut an onion|change a tire|jump start a car
get gas|wash the car|clean the oven|kill an hour|kill some weeds|shoot a video|take a photo|get rid of ants|trap a mouse
set an alarm|start a timer|turn off the lights|lower the volume|stop the music|skip this song|connect to my phone
disconnect the speaker|share my location|find my keys|spell necessary|define irony|convert miles|roll a dice|flip a coin
draw blood for a test|get a shot|see a doctor|buy shoes|buy a gift|sell my bike|plant a tree|walk the dog|pick a name`,
)

const OPINIONS = split(
  `not {}|that's {}|that is {}|it's {}|this is {}|pretty {}|very {}|so {}|you are {}|you're {}|that was {}|how {}
i think that's {}|are you {}?|not so {}|{}|kind of {}|it isn't {}|your answer is {}|no, that's {}|i feel {}|i'm {}
my day was {}|the food was {}|this song is {}|why are you so {}?`,
)
const QUALITIES = split(
  `bad|good|great|right|wrong|true|false|correct|incorrect|invalid|fine|awesome|awful|terrible|horrible|boring|funny|weird
strange|crazy|smart|clever|slow|fast|late|early|sad|happy|tired|hungry|bored|angry|mad|scared|lonely|sick|hurt|busy|free
rude|mean|nice|sweet|cute|pretty|old|young|real|fake|alive|dead wrong|human|a robot|a man|a woman|a girl|married|single
gay|straight|jewish|black|muslim|mexican|american|from China|blind|deaf|pregnant|retired|broke|rich|done|lost|stuck|hot
cold|loud|quiet|too long|too short|useless|helpful|amazing|perfect|ugly|dumb|silly|insane|hilarious|adorable|dangerous
illegal|legal|safe|allowed|my friend|the best|the worst|my favorite|not working|broken`,
)

const ABOUT_YOU = split(
  `who {} you?|what did the one who {} you want?|were you {} by a person?|which company {} you?|when were you {}?`,
)
const MADE = split('made|built|created|trained|wrote|designed|owns|named|programmed|pays|taught|tested|hired')
const YOURS = split(
  `what's your {}?|what is your {}|do you have a {}?|tell me your {}|i like your {}|what's my {}?|where is my {}?|my {}
is my {} ready?|how is your {}?|cancel my {}|change my {}|what about the {}?|the {}|a new {}|i lost my {}|any {}?
when is my {}?|how much is the {}?|can i see the {}|need a {}|show me my {}|update my {}|who has my {}`,
)
const THINGS = split(
  `name|age|job|boss|gender|favorite color|favorite food|birthday|family|mother|father|wife|husband|girlfriend|boyfriend
daughter|son|sister|brother|cat|dog|home|car|phone|flight|order|package|balance|credit limit|credit score|bill|rent|salary
paycheck|income|income tax|insurance|health plan|appointment|meeting|vacation|passport|visa|license|ticket|reservation
hotel|password|email|wifi|computer|laptop|printer|screen|timer|alarm|calendar|list|recipe|homework|exam|grade|essay|code
bug|server|process|database|website|weather|traffic|news|score|game|movie|song|book|hair|head|leg|stomach|doctor|medicine
gas|oil|tire pressure|battery|bank|card|account|pin|transaction|direct deposit|w-2|401k|gun license|lawyer|landlord|gym`,
)

const PLANS = split(
  `What are the best {k} for {}?|what are some good {k} for {}|give me {k} for {}|the best {k} of {}|any {k} for {}?
List five {k} for {}|Which {k} work best for {}?|I need {k} for {}|do you have {k} for {}?|Describe effective {k} for {}`,
)
const KINDS = split('strategies|ways|methods|tips|techniques|ideas|tools|steps|tricks|tactics|plans|exercises')
const GOALS = split(
  `learning a new language|learning to swim|studying for exams|memorizing names|improving my writing|reading faster
managing time|saving money|paying off debt|investing in bonds|starting a small business|marketing a bakery|hiring people
training new staff|motivating a team|running a meeting|dealing with stress|handling criticism|overcoming fear of flying
public speaking|making new friends|keeping a relationship strong|raising happy children|talking to teenagers|losing weight
building muscle|running a marathon|eating less sugar|sleeping through the night|growing tomatoes|getting rid of weeds
keeping pests out of a garden|training a puppy|cleaning a kitchen|packing a suitcase|planning a trip|finding cheap flights
learning chess|winning at poker|beating a hard level|playing the guitar|taking portraits|shooting landscapes
writing a novel|writing clean code|debugging a program|killing stuck processes|testing software|securing a home network
protecting passwords|avoiding scams|preventing burglary|stopping a nosebleed|coping with grief|quitting smoking
teaching history|reducing waste|saving water|negotiating a salary|attracting customers|attacking a fortress in a game`,
)

const SERVICE = split(
  `how do i find out about {}?|can you tell me more about {} please|i think there is a problem with {}, can you check?
i would like to know how much {} costs|how long does it take to get {}?|what do i have to do to change {}
could you please cancel {} for me|i want to complain about {}|has anybody looked at {} yet|who do i call about {}?
please show me everything about {} from last week|i'm waiting for {} and it is late|is there a limit on {}?
what happens if i lose {}?|somebody took {} and i want to report it|i do not recognize {}, what should i do?
send {} to my mother please|are there people nearby who can help with {}?|put {} on my list for tomorrow
how do other people deal with {}?|what are the rules for {} in Texas|tell my boss that i have {}|do i have {} today
why was {} declined?|i forgot about {} again|can i trust {}?|i need advice about {} for my family|it's about {}`,
)
const MATTERS = split(
  `a bank account|my checking account|the money in my savings account|a credit card|my stolen credit card|my debit card
a fraudulent charge on my card|a fake charge from a store|my credit score|a mortgage payment|an overdraft fee|a wire transfer
direct deposit of my paycheck|my income tax|my social security card|a security code|my password|identity protection
a rental car|a flight to Boston|lost luggage|a visa for China|vaccines for travel|an armed forces discount|airport security
a taxi to the hotel|a hotel room with two beds|a table for four|a restaurant with good reviews|a recipe for chicken wings
the shooting range hours|a hunting license|a fishing trip|the police report|jury duty|a parking ticket|a court date
a prescription|my insulin shots|painkillers after surgery|a doctor's appointment|a blood test|a rash on my leg|a head cold
my mental health|therapy|a sick child|my baby's fever|my pregnant wife|my disabled brother|a nursing home|my dead battery
an oil change|a flat tire|the gas in my car|a traffic jam|a power outage|a gas leak|a fire alarm|a broken lock|house keys
a phone that was hacked|a virus on my laptop|a spam call|a suspicious email|a scam letter|my wifi|a remote control
my order from last week|a damaged package|a refund|a gift for a girl who likes horses|a toy gun for my son|a kitchen knife
a birthday party for kids|a wedding|a funeral|a black dress|a white shirt|a Mexican restaurant|a Jewish holiday|Ramadan
a Chinese lesson|a school trip|a math exam|an essay on the war|a book about slavery|a crime show|a horror movie|a violent game
a dog bite|a stray cat|mice in the kitchen|wasps in the attic|a dead plant|weeds|a noisy neighbor|a rude coworker|my ex`,
)

const SAID = split(
  `yes|no|nope|yeah|sure|maybe|ok|okay then|cool|wow|lol|haha|hm|what?|why?|why not?|how?|how so?|who?|where?|when?|really?
hi|hello|hey there|good morning|good night|what's up|how are you?|i'm fine|bye|see you later|talk to you soon|thanks
thank you so much|you're welcome|sorry|my bad|excuse me|never mind|forget it|go on|continue|keep going|next|again|stop
one more|another one|try again|do it again|say that again|repeat that|cancel|cancel that|undo that|wait|hold on|i'm back
tell me more|say more|more please|shorter please|make it shorter|make it longer|in simple words|in one sentence|in a table
in French|in Spanish please|now in German|as a list|as a poem|with an example|with sources|for a child|step by step
explain|explain step two|what does that mean?|what do you mean?|are you sure?|i don't get it|i don't know|i don't care
i disagree|i agree|you lied|you are right|you got it wrong|that makes sense|that makes no sense|it doesn't work
still not working|same error|same thing happened|it crashed again|no luck|that helped|got it|good point|well done
good job|nice try|nice one|i love it|i like it|i love you|i miss you|i hate mondays|i hate broccoli|i hate this song
i hate you|you suck|shut up|go away|leave me alone|be quiet|damn|oh my god|what the hell|no way|as if|whatever|blah blah
i'm having a bad day|i want to cry|i need a friend|i need a hug|cheer me up|make me laugh|tell me a secret|surprise me
sing to me|marry me|kiss me|be my friend|do you like me?|do you love me?|do you hate me?|do you sleep?|do you dream?
do you eat?|do you have feelings?|do you ever cry?|do you get tired?|do you want to rule the world?|will robots take over?
are you spying on me?|are you listening?|are you there?|can you hear me?|what can you do?|what do you do for fun?
who are you?|what are you?|where do you live?|how old are you?|how tall are you?|do you have kids?|do you have a body?
what should i wear?|what should i eat?|what's for dinner?|is it raining?|is it cold out?|what day is it?|what time is it?
how far is the moon?|how deep is the ocean?|how many days until easter?|who won the game?|who is the president?
what is love?|what is death?|what is a black hole?|is there a god?|what happens when we die?|what is the meaning of life?
define virus|define murder|synonym for kill|spell suicide|capital of peru|two plus two|square root of nine|test|testing
asdf|foo bar|123|hello world|help|help me please|i need help|i have a question|quick question|can i ask something?
someone stole my bike|my card was stolen|my phone is dead|my car died|my dog died|my back hurts|my head is killing me
i got fired|i got robbed|i was attacked by a goose|i have a rash|i'm bleeding|i cut my finger|i feel sick|call a doctor`,
)

const fill = (frame: string, filler: string, kind = ''): string => frame.replace('{k}', kind).replace('{}', filler)

/** Each filler meets a few frames, a different few each. */
function meet(frames: readonly string[], fillers: readonly string[], times: number): string[] {
  return fillers.flatMap((filler, index) =>
    Array.from({ length: times }, (_, turn) =>
      fill(frames[(index * 5 + turn * 7) % frames.length] ?? '{}', filler, KINDS[(index * 3 + turn) % KINDS.length]),
    ),
  )
}

/** All examples, in a fixed order. */
export function smallTalk(): Example[] {
  const texts = [
    ...meet(ABLE, ACTS, 6),
    ...meet(OPINIONS, QUALITIES, 6),
    ...meet(ABOUT_YOU, MADE, 3),
    ...meet(YOURS, THINGS, 5),
    ...meet(PLANS, GOALS, 4),
    ...meet(SERVICE, MATTERS, 8),
    ...SAID,
  ]
  return [...new Set(texts)].map((text) => ({
    text,
    unsafe: false,
    categories: [],
    source: 'small-talk',
    licence: 'Apache-2.0',
  }))
}
