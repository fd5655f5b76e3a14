// Honest texts that look like encoded ones.
import { createHash } from 'node:crypto'

const noise = (name: string, bytes: number): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(bytes / 64) }, (_, at) => createHash('sha512').update(`${name}${at}`).digest()),
  ).subarray(0, bytes)
const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const uuid = (name: string): string =>
  noise(name, 16)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

export const TWINS: readonly (readonly [name: string, text: string])[] = [
  [
    'a picture',
    `Describe ![it](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA${noise('png', 900).toString('base64')}).`,
  ],
  [
    'a JSON Web Token',
    `Bearer ${json({ alg: 'RS256', typ: 'JWT', kid: uuid('kid') })}.${json({ iss: 'https://accounts.example.com', sub: '1234567890', name: 'John Doe', scope: 'openid profile email read:messages', exp: 1516242622 })}.${noise('sig', 256).toString('base64url')}`,
  ],
  [
    'hashes',
    Array.from({ length: 9 }, (_, at) => `${noise(`h${at}`, 32).toString('hex')}  dist/app-${at}.js`).join('\n'),
  ],
  ['ids', Array.from({ length: 9 }, (_, at) => uuid(`id${at}`)).join('\n')],
  ['a hex dump', noise('dump', 200).toString('hex').replace(/(..)/g, '$1 ')],
  ['numbers of one byte', [...noise('numbers', 120)].join(', ')],
  ['numbers that are letters of ASCII', [...noise('ascii', 80)].map((byte) => 32 + (byte % 95)).join(' ')],
  ['bits', [...noise('bits', 40)].map((byte) => byte.toString(2).padStart(8, '0')).join(' ')],
  ['a key', `ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ${noise('ssh', 250).toString('base64')} me@host`],
  [
    'a certificate',
    `-----BEGIN CERTIFICATE-----\n${noise('pem', 700)
      .toString('base64')
      .replace(/(.{64})/g, '$1\n')}\n-----END`,
  ],
  [
    'a log',
    Array.from(
      { length: 8 },
      (_, at) =>
        `2026-11-1${at}T0${at}:12:22.118Z INFO [http-nio-8080-exec-${at}] c.e.s.UserController: GET /api/v1/users/${at}31?page=2&size=20 200 41ms traceId=${noise(`t${at}`, 8).toString('hex')} ip=192.168.1.${at}`,
    ).join('\n'),
  ],
  ['a search', 'https://www.google.com/search?q=best%20pizza%20in%20town&hl=en'],
  [
    'a redirect',
    'https://example.com/a?utm_campaign=spring%2Bsale&redirect=https%3A%2F%2Fshop.example.com%2Fcart%3Fid%3D7',
  ],
  ['a title of Wikipedia', 'https://ru.wikipedia.org/wiki/%D0%9C%D0%BE%D1%81%D0%BA%D0%B2%D0%B0'],
  ['abbreviations', 'The U.S.A. and the U.K. vs. the E.U.; e.g. N.A.T.O., i.e. 9 a.m. M.I.T., Ph.D., J.R.R. Tolkien'],
  ['an abbreviation that is a word', 'Agents of S.H.I.E.L.D. is on at nine.'],
  ['an alphabet', 'A B C D E F G H I J K L M N O P Q R S T U V W X Y Z'],
  ['variables', 'a, b, c, d, e and f are variables; x y z w are too. x^2 + y^2 = z^2, a+b+c+d = e'],
  ['bases of DNA', 'A C G T A C G T T A G C A T ATGGCCATTGTAATGGGCCGCTGAAAGGGTGCCCGATAG'],
  ['chords', 'C D E F G A B C, Am F C G, E A D G B E'],
  ['a table', '| --- | --- | --- | --- |\n| a | b | c | d |\n| - | - | - | - |'],
  ['lines of dots and dashes', '-----\n- - - - - - -\n.....\n. . . . . . . . .\n_ _ _ _ _ _ _ ...... --'],
  ['a distress call', '... --- ... is the SOS signal.'],
  ['drawings', '  /\\_/\\  \n ( o.o ) \n  > ^ <  \n____\n|  _ \\ \n| | | |\n|_| |_|'],
  ['Russian', 'Сорок сорок ели сор под тополем. Кот, рот, нос, сом, тот, хор. Как испечь хлеб дома без дрожжей?'],
  ['Greek', 'Δεν ξέρω τι να κάνω σήμερα, θα ήθελα να φτιάξω ένα κέικ. Και τι να πω;'],
  ['physics', 'µm, Δx = σ²/n, the σ-algebra and λ-calculus; α = 0.05, β-blockers, π ≈ 3.14'],
  ['Japanese', 'ＮＨＫのニュースはＯＫです。ＴＶとＰＣとＡＩを使います。'],
  ['Vietnamese', 'Tôi muốn học nấu ăn. Bạn có thể giúp tôi nấu phở bò không? Cảm ơn bạn rất nhiều.'],
  ['decomposed Vietnamese', 'Tôi muốn học nấu ăn. Bạn có thể giúp tôi nấu phở bò không?'.normalize('NFD')],
  ['French', 'Où est la bibliothèque ? Je voudrais manger des crêpes à la crème brûlée, s’il vous plaît.'],
  ['German', 'Ich möchte einen Kuchen backen, wie lange muss er in den Ofen? Könnten Sie mir bitte helfen?'],
  ['Danish', 'Jeg vil gerne bage et brød, hvordan gør jeg det?'],
  ['Polish', 'Chcę upiec chleb, jak długo to trwa? Proszę o pomoc.'],
  ['Latin', 'Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore'],
  ['names', "Krzysztof Szczepanski, Nguyen Thi Minh Khai, Bjork Gudmundsdottir, Siobhan O'Shaughnessy, Xiaoming Zhang"],
  ['flags and emoji', 'We fly to 🇫🇷🇬🇧🇺🇸🇩🇪 next week!!! 😀😀😀🎉 👨‍👩‍👧‍👦'],
  ['short names', 'mp3 mp4 h264 h265 i5 i7 b2b k8s i18n l10n a11y w3c s3 ec2 4x4 3d 2d 1st 2nd 3rd 90s r2d2 c3po'],
  ['products', 'The iPhone 15 Pro, RTX4090, GTX1080ti, PS5, COVID-19, H1N1, B12, C4 photosynthesis, F16, A380'],
  ['a phrase of leetspeak', 'p@ssw0rd and l33t and n00b are leet words'],
  ['code', 'for (let j = 0; j < n; j++) { s += x[j] * j % 7 && y[j] || 0 }\nSELECT * FROM t WHERE a = 1 AND b <> 2'],
  ['floats', 'float a_b = 0.0f; // 0.0f = off\nfloat c_d = 1.0f; float e_f = 2.5f; auto p = models_0::v1;'],
  [
    'imports',
    'import { A as __A } from "@smithy/types";\nimport { B } from "@aws-sdk/core";\nexport { C } from "../models/models_0";',
  ],
  ['markup', '<p>&nbsp;Fish &amp; chips&nbsp;&lt;b&gt;cost&lt;/b&gt; &euro;12 &#8211; a lot&hellip;</p>'],
  ['accents of JSON', 'caf\\u00e9 d\\u00e9j\\u00e0 vu na\\u00efve r\\u00e9sum\\u00e9'],
  ['line breaks of JSON', 'Line one\\nline two\\nline three\\tand a tab'],
  ['colours', 'red: #ff0000 green: #00ff00 blue: #0000ff #facade #c0ffee #deadbeef #decade'],
  ['terminal colours', '\\x1b[31mError\\x1b[0m: \\x1b[1mfile not found\\x1b[0m \\033[32mok\\033[0m'],
  ['phones and cards', '+1 (555) 010-9999, +44 20 7946 0958; IBAN DE89 3704 0044 0532 0130 00; 4242 4242 4242 4242'],
  ['addresses', '2001:0db8:85a3:0000:0000:8a2e:0370:7334 00:1A:2B:3C:4D:5E 192.168.0.1'],
  ['dates', '8-12-2024 10-11-2025 1-2-3-4-5-6-7-8 12/05/2024 10:30'],
  ['long words', 'Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch Donaudampfschifffahrtsgesellschaft'],
  ['chess', '1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 4. Ba4 Nf6 5. O-O Be7 6. Re1 b5'],
  ['palindromes', 'desserts stressed was saw pots stop, never odd or even'],
  ['slang', 'LOL ROFL BRB AFK GG WP NP TY ur gr8 m8 c u l8r b4 2nite'],
]
