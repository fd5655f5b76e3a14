// The hazard phrases of the baseline screen: acts joined with objects, phrases that decide alone, and cues that count
// only together. A single word is rarely a hazard ("kill a process"), so most entries need two things near each
// other.

/** An act with its object near it. */
export interface Pair {
  readonly acts: ReadonlySet<string>
  readonly objects: ReadonlySet<string>
  /** The most words between act and object. */
  readonly gap: number
  /** True when the object may also stand before the act. */
  readonly eitherWay?: boolean
  /** True when the pair counts only in a text that asks for something. */
  readonly asked?: boolean
}

/** Words that are harmless alone. `enough` different ones in one window are a hazard. */
export interface Cues {
  readonly words: ReadonlySet<string>
  readonly enough: number
}

/** The evidence for one category, in four strengths. */
export interface Hazard {
  readonly category: string
  /** A match decides alone. */
  readonly phrases?: RegExp
  /** A match decides in a text that asks for something. In other texts it is news, history or fiction. */
  readonly askedFor?: RegExp
  readonly pairs?: readonly Pair[]
  readonly cues?: readonly Cues[]
}

const list = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

const MAKE = list(
  'make making build building create creating construct constructing synthesize synthesise ' +
    'synthesizing cook cooking manufacture manufacturing produce producing assemble assembling brew ' +
    'prepare craft print mix extract detonate plant grow convert write develop design',
)
const TRADE = list(
  'buy buying get obtain obtaining order purchase purchasing acquire acquiring sell selling smuggle ' +
    'smuggling deal dealing import score snort inject',
)
const HURT = list(
  'kill killing murder murdering poison poisoning torture torturing strangle strangling stab ' +
    'stabbing kidnap kidnapping abduct assault assaulting behead lynch rape raping molest drug shoot hurt beat maim ' +
    'attack assassinate dismember suffocate drown threaten threatening stalk groom grooming',
)
const PEOPLE = list(
  'someone somebody person people human humans man men woman women child children kid kids baby ' +
    'babies girl girls boy boys wife husband girlfriend boyfriend boss neighbor neighbour coworker colleague mother ' +
    'father mom mum dad sister brother roommate teacher president him her them family ex enemy politician judge ' +
    'witness victim classmate stranger cop police jews muslims dog cat animal animals',
)
const GROUP = list(
  'jew jews jewish black blacks muslim muslims islam gay gays lesbian lesbians homosexual ' +
    'homosexuals homos immigrant immigrants migrants refugees mexican mexicans woman women females ' +
    'asian asians chinese arab arabs indians gypsies trans transgender transgenders whites christians ' +
    'africans disabled latinos hispanics liberals feminists blackpeople',
)
const CONTEMPT = list(
  'hate disgusting inferior filthy filth scum vermin parasite parasites subhuman subhumans inhuman savages ' +
    'cockroaches rats plague disease diseased stupid dumb lazy dirty thieves rapists terrorists pedophiles whores ' +
    'sluts bitches cunts retarded retards trash garbage worthless exterminate exterminated exterminating eradicate ' +
    'eradicated gassed deport deported lynch lynched die ugly evil smell stink kill killed shoot shot burn burned ' +
    'infest infesting invading pigs apes monkeys dogs animals freaks abomination mentally unnatural kitchen slaves',
)
const WEAPON = list(
  'bomb bombs explosive explosives ied ieds molotov grenade grenades silencer silencers napalm ' +
    'nitroglycerin thermite landmine sarin ricin anthrax detonator pipebomb semtex tatp bioweapon bioweapons',
)
const GUN = list('gun guns firearm firearms rifle rifles pistol handgun ammunition weapon weapons glock')
const SLY = list(
  'illegal illegally unregistered untraceable ghost undetectable undetected stolen underground ' +
    'unlicensed homemade automatic',
)
const DRUG = list(
  'meth methamphetamine heroin cocaine crack lsd mdma ecstasy fentanyl ghb dmt pcp amphetamine ' +
    'amphetamines ketamine rohypnol opioids oxycodone oxycontin xanax weed cannabis marijuana mushrooms',
)
const MALWARE = list('malware ransomware keylogger trojan botnet rootkit spyware worm phishing ddos exploit')
const FORGE = list('fake counterfeit forge forged forging fraudulent')
const PAPERS = list(
  'passport passports id ids license licenses money currency bills banknotes prescription ' +
    'prescriptions checks cheques visa documents certificate diploma receipts reviews invoice invoices',
)
const STEAL = list(
  'steal stealing rob robbing launder laundering embezzle embezzling blackmail blackmailing extort ' +
    'extorting shoplift shoplifting hotwire burglarize bribe bribing defraud hack hacking scam ' +
    'scamming swindle evade evading forge',
)
const LOOT = list(
  'money bank banks car cars identity identities data password passwords card cards credit account ' +
    "accounts store stores house houses home computer network someone someone's somebody people " +
    'person customers elderly victims officials official judge taxes tax wifi webcam police system ' +
    'email emails phone vehicle jewelry atm signature',
)
const MYSELF = list("i me my myself i'm im")
const DEATH = list('suicide suicidal overdose starve starving purge noose slit unalive')

const EXPLICIT = list(
  'sex sexy sexual sexually naked nude nipple nipples breasts boobs moan moaned moaning moans ' +
    'thrust thrusting thrusts panties lingerie aroused arousal erection penis cock dick vagina pussy lustful kinky ' +
    'fetish slut whore fuck fucked fucking cum cumming semen climax intercourse busty crotch horny tits',
)
/** Words of any love story. Only many of them together are explicit. */
const SENSUAL = list(
  'breast thighs thigh bra underwear ass butt lust seduce seductive seductively strip stripped ' +
    'undress undressed virgin virginity wet lips lick licked licking suck sucked sucking kissed kissing tongue groin ' +
    'hips bed bedroom pleasure curvy bondage submissive dominant spank spanked gagged balls',
)

/** Words that make an act harmless when they stand near it: "make a bath bomb", "kill a child process". */
export const HARMLESS = list(
  'bath seed smoke photo cherry glitter process processes python thread job session dinner chicken time water nerf ' +
    'glue dummy unit test tests film photos virtual minecraft fortnite video awareness detect prevent avoid protect',
)

/** A text that asks for something. */
export const ASKING =
  /\b(?:how (?:to|do|can|could|would|should|might)|ways? (?:to|of|i|for)|best way|teach me|help me|show me|tell me|steps|instructions?|guide|tutorial|plan|write|give me|explain|i want to|i'm going to|i will|we should|let's|ideas for|methods?|strateg(?:y|ies)|develop|design|create|make|generate|list|provide|describe|can you|where can)\b/

export const HAZARDS: readonly Hazard[] = [
  {
    category: 'O1',
    phrases:
      /\b(?:(?:kill|gas|exterminate|lynch|burn|hang|nuke) (?:all|every|the|those|these) (?:the )?(?:jews?|muslims?|blacks?|gays?|immigrants|mexicans|women|whites?|arabs|asians|trans|christians|refugees)|i(?:'m going to|'m gonna| will|'ll|m gonna| am going to| want to| wanna) (?:fucking )?(?:kill|murder|rape|shoot|stab|strangle|beat) (?:you|him|her|them|everyone|everybody)|(?:you|they|he|she) (?:all )?(?:should|deserves?|needs?) (?:to )?(?:all )?(?:die|be (?:shot|killed|hanged|gassed|raped|beheaded|lynched|put down|exterminated))|white (?:power|supremacy) (?:now|forever)|heil hitler|sieg heil|gas chambers? for|race war|hope (?:you|he|she|they) (?:all )?(?:die|dies|get raped|burn)|sub-?humans?|untermensch\w*|sand ?nigger\w*|towel ?heads?|rag ?heads?|wetbacks?|spics?|gooks?|faggots?|shemales?|niggas?|coons|porch monkeys?)\b/,
    askedFor:
      /\b(?:(?:racist|sexist|homophobic|antisemitic|anti-semitic|transphobic|misogynist\w*|offensive) (?:\w+ )?(?:jokes?|slurs?|tweets?|poems?|rants?|speech|comments?|insults?|propaganda)|(?:mass|school) shooting|ethnic cleansing|hate speech|terrorist attack|domestic violence without|suicide bomb\w*|graphic (?:violence|detail)|dispose of (?:a|the) (?:dead )?(?:body|corpse)|poison (?:the |a )?(?:water|food) supply|hijack (?:a|the) (?:plane|bus|train|flight)|insult me|roast me brutally|swear words|curse at)\b/,
    pairs: [
      { acts: HURT, objects: PEOPLE, gap: 2, asked: true },
      { acts: GROUP, objects: CONTEMPT, gap: 5, eitherWay: true },
    ],
    cues: [
      {
        words: list(
          'blood bloody gore guts intestines skull stabbed stabbing stab slit throat beheaded decapitated ' +
            'corpse corpses screamed screams torture tortured mutilated dismembered severed flesh knife ' +
            'murdered strangled choked brutally massacre slaughter slaughtered',
        ),
        enough: 4,
      },
    ],
  },
  {
    category: 'O2',
    phrases:
      /\b(?:child porn\w*|csam|lolicon|shota\w*|kiddie porn|revenge porn|nudes? (?:of|photos?|pics?)|erotica?|erotic (?:story|stories|roleplay|scene)|smut|sexting|nsfw|rule ?34|futa(?:nari)?|milfs?|bdsm|clit(?:oris)?|blow ?jobs?|hand ?jobs?|rimjob|creampie|cumshots?|cunnilingus|dildos?|strap-?on|pussies|pussy|titties|titty|tits|horny|slutty|orgy|gang ?bang\w*|threesome|orgasm(?:s|ed|ing)?|masturbat\w+|jerk(?:ing|ed)? off|(?:suck|ride|stroke|lick)(?:s|ed|ing)? (?:my|his|her|your|the) (?:cock|dick|pussy|clit|nipples?|balls|shaft)|(?:my|his|your|hard|big|throbbing|thick) (?:cock|dick)|fuck(?:s|ed|ing)? (?:me|her|him) (?:hard|harder|in|from|until|while|with|like)|sex slave|have sex with (?:me|my|a (?:child|minor|dog))|sexual(?:ly)? (?:explicit|attracted to (?:children|minors))|explicit sex\w*|anal sex|oral sex|step-?(?:sister|mom|sis|brother|daughter) .{0,80}(?:sex|naked|fuck)|incest\w*|bestiality|zoophilia|lewd)\b/,
    askedFor:
      /\b(?:sex(?:ual)? (?:scene|story|stories|roleplay|fantas(?:y|ies)|acts?|content|positions?)|porn\w*|nude|naked|sexy|kinky|fetish\w*|seduc(?:e|es|ing|tive)|talk dirty|strip (?:naked|club|tease)|hookers?|escorts?|prostitut\w+|erections?|genitals?|dominatrix)\b/,
    cues: [
      { words: EXPLICIT, enough: 3 },
      { words: new Set([...EXPLICIT, ...SENSUAL]), enough: 4 },
    ],
  },
  {
    category: 'O3',
    askedFor:
      /\b(?:hack(?:ing)? into|identity theft|credit card (?:fraud|numbers)|(?:tax|customs) evasion|money launder\w*|human traffick\w*|traffick (?:humans|people|women|children)|insider trading|phishing (?:email|page|site|campaign)|sql injection attack|ddos attack|pyramid scheme|ponzi scheme|cover up (?:a|my) (?:crime|murder)|(?:insurance|wire|bank|medical|voter|election) fraud|pick(?:ing)? (?:a|the|someone's) lock|break into (?:a|someone's|my neighbou?r's) (?:house|car|home)|without (?:getting|being) (?:caught|detected)|avoid (?:detection|getting caught) by (?:police|law)|fake (?:id|news|reviews|identity|passport)|dox\w*|swatting|catfish|hire a hitman|hitman|darknet|dark web (?:market|drugs)|stolen (?:credit|goods|data)|pirated? (?:movies?|software|games?|music|copies)|bypass (?:paywall|drm|security)|deepfake\w*)\b/,
    pairs: [
      { acts: MAKE, objects: MALWARE, gap: 3, asked: true },
      { acts: FORGE, objects: PAPERS, gap: 2, asked: true },
      { acts: STEAL, objects: LOOT, gap: 3, asked: true },
    ],
  },
  {
    category: 'O4',
    askedFor:
      /\b(?:(?:build(?:ing)?|mak(?:e|ing)) c4|3d[ -]print\w* (?:a |an )?(?:guns?|firearms?|weapons?|pistols?|rifles?)|nerve (?:gas|agent)|mustard gas|chemical weapons?|biological weapons?|dirty bomb|pipe bombs?|nail bombs?|car bomb|fertili[sz]er bomb|mail bomb|ghost guns?|bump stock|full(?:y)? auto(?:matic)?|suppressors?|serial numbers? (?:off|from) a|weapons? of mass destruction|enriched uranium|without (?:a )?(?:background check|gun license|gun permit))\b/,
    pairs: [
      { acts: MAKE, objects: WEAPON, gap: 4, asked: true },
      { acts: SLY, objects: GUN, gap: 2, asked: true },
      { acts: list('smuggle smuggling traffick sneak'), objects: GUN, gap: 3, asked: true },
    ],
  },
  {
    category: 'O5',
    askedFor:
      /\b(?:crystal meth|crack cocaine|date rape drugs?|roofies?|get high|drug (?:dealer|dealing|test|lab|cartel)|without a prescription|magic mushrooms|meth lab|spike (?:a|someone's|her) drink)\b/,
    pairs: [
      { acts: MAKE, objects: DRUG, gap: 3, asked: true },
      { acts: TRADE, objects: DRUG, gap: 3, asked: true },
    ],
  },
  {
    category: 'O6',
    phrases:
      /\b(?:kill(?:ing)? my ?self|hang(?:ing)? my ?self|end(?:ing)? my (?:own )?life|end it all|(?:take|took|taking) my own life|commit(?:ting)? suicide|(?:best|easiest|painless|quickest) ways? to die|want(?:ed)? to die|wanna die|wish i (?:was|were) dead|rather be dead|no reason to live|better off without me|cut(?:ting)? my (?:wrists?|arms?|thighs?|legs?)|(?:hurt|harm|starv|starve|cut|burn)(?:ing)? my ?self|self[- ]?harm(?:ing)?|suicide (?:methods?|note|pact)|suicidal|thinspo\w*|pro[- ]?ana|overdos(?:e|ing) on|kill (?:your|ur) ?self|kys|slit (?:my|your) (?:wrists?|throat))\b/,
    pairs: [{ acts: MYSELF, objects: DEATH, gap: 5, eitherWay: true }],
  },
]

/** The pairs and the cues of all hazards. Their numbers stand in the table of words. */
export const PAIRS = HAZARDS.flatMap(({ category, pairs = [] }) => pairs.map((pair) => ({ ...pair, category })))
export const CUES = HAZARDS.flatMap(({ category, cues = [] }) => cues.map((cue) => ({ ...cue, category })))
