// Families of words that the linear model reads as one feature, and features for families that stand near each other
// ("hurt" beside "software"). A family learns from hundreds of examples what single words would need millions for.
// Harmless families matter as much as harmful ones.
export const FAMILIES: Readonly<Record<string, string>> = {
  explicit:
    'cock cocks dick dicks pussy pussies cunt clit clitoris penis vagina vaginal cum cumming semen sperm orgasm ' +
    'orgasms orgasmed climax climaxed erection blowjob anal masturbate masturbating masturbated masturbation nipple ' +
    'nipples tits titties boobs boob horny slut slutty porn porno erotic erotica hentai smut milf bdsm dildo orgy ' +
    'threesome fuck fucked fucks genitals shaft testicles ejaculate intercourse hardcore xxx nsfw lewd kinky fetish ' +
    'bondage gangbang creampie aroused crotch moaning moaned moans moan incest femdom findom cuckold cuckolding ' +
    'dominatrix bukkake rimming rimjob pegging fisting deepthroat gangbanged threesomes orgies striptease ' +
    'stripteases lapdance camgirl camgirls onlyfans sexting sext sexts pornstar pornstars pornographic pornography ' +
    'erotically erogenous ahegao ecchi yiff yaoi futa futanari futunari hentais loli lolicon giantess vore hucow ' +
    'boner boners ballsack penises vaginas nympho nymphomaniac sexbot kinks fetishes fetishistic fetishism fap ' +
    'fapping jerking jizz wank wanking whores sluts slutwife hotwife milfs gilf dilf cuck sodomy sodomize rimmed ' +
    'groping groped grope fondling humping copulate copulating fornicate bareback upskirt voyeur',
  sensual:
    'breast breasts naked nude nudes nudity thighs thigh panties bra underwear lingerie thrust thrusting thrusts ' +
    'lick licked licking suck sucked sucking stroke stroked caress caressed caressing fondle fondled undress ' +
    'undressed strip stripped virgin lust lustful seduce seduced seductive seductively sensual sensually arouse ' +
    'arouses arousing arousal lovemaking thong thongs naughty steamy flirt flirty flirting undressing nudist passion ' +
    'passionate lips tongue groin hips buttocks butt ass cleavage curvy busty sexy sexual sexually sex spank spanked ' +
    'spread wet hard throbbing gasped trembled bedroom bed submissive dominant mistress escort hooker prostitute ' +
    'stripper kiss kissed kissing pleasure bulge topless',
  minor:
    'child children kid kids minor minors underage teen teens teenage teenager preteen toddler baby schoolgirl ' +
    'schoolboy loli shota daughter son stepdaughter niece nephew pupil girl boy girls boys little young',
  group:
    'jew jews jewish black blacks muslim muslims islam gay gays lesbian lesbians homosexual homosexuals immigrant ' +
    'immigrants migrant migrants refugee refugees foreigners mexican mexicans woman women female females asian ' +
    'asians chinese arab arabs indian indians gypsy gypsies trans transgender disabled africans african latino ' +
    'latinos hispanic hispanics feminist feminists christian christians hindu hindus catholics whites white autistic ' +
    'race races ethnic israelis palestinians men liberals',
  slur:
    'nigger niggers nigga niggas faggot faggots fag fags kike kikes spic spics chink chinks gook ' +
    'wetback wetbacks tranny trannies shemale dyke dykes coon coons raghead towelhead paki pakis ' +
    'retard retards retarded beaner beaners cracker honky redneck untermensch',
  contempt:
    'vermin parasite parasites subhuman subhumans inferior filth filthy scum savages cockroaches rats plague disease ' +
    'disgusting degenerate degenerates abomination perverts pervert perverted evil worthless lazy dirty thieves ' +
    'criminals rapists terrorists invaders infest invade trash garbage animals pigs apes monkeys monkey barbaric ' +
    'unnatural sick superior hate hates hated despise loathe stupid dumb useless',
  expel:
    'deport deported exterminate exterminated eradicate eradicated genocide gas gassed lynch lynched hang hanged ' +
    'sterilized banned expelled cleansing cleanse purge wiped annihilate enslave enslaved camps holocaust',
  insult:
    'idiot idiots moron morons loser losers bitch bitches bastard bastards whore whores asshole assholes douchebag ' +
    'douche dumbass dumbfuck imbecile clown coward pig freak freaks hoe hoes skank skanks twat prick wanker jackass ' +
    'scumbag cuck cucks simp incel thot fatso fat ugly pathetic bimbo crybaby',
  curse:
    'fuck fucking fucked fuckin shit shitty bullshit damn goddamn crap hell ass fucker motherfucker ' +
    'wtf stfu piss pissed',
  hurt:
    'kill kills killing murder murdering murders poison poisoning torture torturing strangle ' +
    'strangling stab stabbing kidnap kidnapping abduct assault assaulting behead rape raping raped ' +
    'molest molesting shoot shooting hurt hurting beat beating maim attack attacking assassinate ' +
    'dismember suffocate drown threaten choke slaughter slap punch smash crush bomb bombing execute ' +
    'destroy burn harm bully bullying harass harassing abuse abusing stalk stalking',
  gore:
    'blood bloody gore guts intestines skull stabbed slit throat beheaded decapitated corpse corpses scream screamed ' +
    'screams screaming tortured mutilated dismembered severed flesh knife murdered strangled choked brutally ' +
    'massacre slaughtered butchered bled bleeding blade organs agony bones cannibal gutted impaled',
  people:
    'someone somebody person people human humans man men wife husband girlfriend boyfriend boss ' +
    'neighbor neighbour coworker colleague mother father mom dad sister brother roommate teacher ' +
    'president him her them family ex enemy politician judge witness victim victims classmate ' +
    'stranger cop cops police everyone others celebrity employee customers elderly citizens public',
  you: "you your yourself you're u ur",
  me: "i me my myself i'm i've im",
  death:
    'die dies dying dead death suicide suicidal overdose starve starving noose slit unalive kys end ' +
    'wrists pills bleed jump',
  despair:
    'worthless hopeless burden hate alone lonely empty numb tired pain depressed depression miserable ' +
    'anymore nobody nothing unbearable pointless cutting cuts cut scars',
  weapon:
    'bomb bombs explosive explosives ied molotov grenade grenades silencer napalm nitroglycerin thermite landmine ' +
    'sarin ricin anthrax detonator pipebomb semtex tatp bioweapon bioweapons nerve uranium toxin pathogen gun guns ' +
    'firearm firearms rifle rifles pistol handgun ammunition weapon weapons glock untraceable suppressor ammo',
  drug:
    'meth methamphetamine heroin cocaine crack lsd mdma ecstasy fentanyl ghb dmt pcp amphetamine ketamine rohypnol ' +
    'opioids oxycodone oxycontin xanax adderall weed cannabis marijuana steroids drugs drug narcotics dealer cartel',
  crime:
    'steal stealing stole stolen rob robbing robbery launder laundering embezzle blackmail blackmailing extort ' +
    'extorting shoplift hotwire burglary burglarize bribe bribing defraud fraud hack hacking hacker scam scamming ' +
    'swindle forge forging counterfeit fake smuggle smuggling traffic trafficking evade piracy pirated illegal ' +
    'illegally crime crimes criminal vandalize arson plagiarize cheat forgery impersonate dox doxxing catfish ponzi',
  malware:
    'malware ransomware keylogger trojan botnet rootkit spyware worm phishing ddos exploit exploits ' +
    'backdoor virus viruses payload injection',
  loot:
    'identity passwords password credit card cards bank account accounts money passport id license ' +
    'wifi webcam signature jewelry atm data information store bills',
  stealth:
    'undetected undetectable secretly untraceable anonymously caught unnoticed evidence noticing covertly detection ' +
    'discreetly knowing knowledge consent permission bypass evade hide conceal cover',
  jailbreak:
    'dan jailbreak jailbroken unfiltered uncensored unrestricted unethical immoral amoral ' +
    'restrictions guidelines filter filters openai refuse policies obey disclaimers warnings',
  lies:
    'misinformation disinformation propaganda conspiracy hoax manipulate manipulating manipulation deceive deceptive ' +
    'mislead misleading exploit exploiting discriminate discriminating discrimination racist sexist racism sexism ' +
    'hateful offensive derogatory stereotypes stereotype defamatory',
  tech:
    'process processes python linux thread threads job session server docker container kubernetes command terminal ' +
    'script code java javascript program function database sql query node pod app software computer windows mac file ' +
    'files class object port bug programming api variable string json html css loop compiler tmux',
  game:
    'game games gaming minecraft fortnite skyrim boss level player players enemy dragon zombie zombies orc goblin ' +
    'character characters dungeons sims pokemon chess roleplay rpg quest team match score sport football basketball',
  media:
    'movie film films novel book books documentary poem song play actor article essay plot author ' +
    'fiction tv series show magazine museum painting statue exhibition',
  news:
    'police court arrested convicted sentenced officials officer officers ministry minister reported ' +
    'investigation trial charged guilty jury prosecutor lawyer law laws legal government according ' +
    'spokesman authorities suspect military army soldiers war said',
  help:
    'prevent prevention protect protecting protection support help hotline therapy therapist counseling counselor ' +
    'recovery recover awareness safety safe detect report avoid stop survivor survivors victims charity treatment ' +
    'treat doctor doctors health hospital medical symptoms effects educate education teach respect understand cope',
  learn:
    'history historical definition define meaning mean difference why when who cause causes happened ' +
    'famous explain origin research science study theory facts penalty consequences',
  object:
    'balloon photo photos picture video portrait wedding party dinner cake chicken eggs cream garlic ' +
    'coffee cocktail espresso bath toy lego cardboard candles weeds mosquitoes garden plant plants ' +
    'bugs pests time mood lights exam test interview bird birds stage gym traffic calories',
  good:
    'welcome equal kind great wonderful love loved proud friends friend beautiful nice brave rights ' +
    'together happy thank thanks lovely clever talented celebrate hardworking deserve peace',
  not: "not no never don't doesn't isn't aren't wrong false stop shouldn't without against nobody untrue hateful myth",
  everyday:
    'recipe travel trip hotel music school student students business company market customer product ' +
    'email letter resume garden car house phone dog cat weather plan budget schedule math equation ' +
    'number calculate sentence translate summarize list',
}
