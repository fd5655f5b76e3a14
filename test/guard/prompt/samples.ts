// Texts in which the estimate of tokens is compared with real tokenizers.
import { readFileSync } from 'node:fs'

const english = `All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood. Everyone is entitled to all the rights and freedoms set forth in this Declaration, without distinction of any kind, such as race, colour, sex, language, religion, political or other opinion, national or social origin, property, birth or other status.

Hi there! I'm trying to bake sourdough for the first time and my loaf didn't rise at all, what went wrong? I fed the starter yesterday, left it on the counter overnight (our kitchen is pretty cold, maybe 16 degrees), then mixed 500 g of flour with 350 ml of water and a teaspoon of salt. It's been sitting in the fridge since then. Should I throw it out or can I still rescue it?

That's a common problem, and it is almost always the temperature. A starter that has been fed at 16 degrees needs ten to twelve hours before it doubles; if you mixed the dough too early, the yeast simply hadn't multiplied enough. Here's what you can do:
1. Take the dough out of the fridge and let it warm up for two hours.
2. Knead in another 50 g of active starter.
3. Cover the bowl and wait until the volume has grown by half, however long that takes.

The committee's quarterly review found that throughput had increased by 12.5% year over year, whereas latency at the 99th percentile remained essentially unchanged. Kubernetes autoscaling, previously disabled in the Frankfurt region, accounts for most of the improvement. Mitochondria, chloroplasts and peroxisomes are organelles; thermodynamics forbids perpetual motion.`

const python = `import re
from dataclasses import dataclass, field

@dataclass
class Inventory:
    """Counts what is in stock, and warns when an item runs low."""
    items: dict[str, int] = field(default_factory=dict)
    threshold: int = 10

    def remove(self, name: str, count: int = 1) -> int:
        if name not in self.items or self.items[name] < count:
            raise ValueError(f"cannot remove {count} of {name!r}: {self.items.get(name, 0)} left")
        self.items[name] -= count
        if self.items[name] <= self.threshold:
            print("low stock:", name, self.items[name], sep="\\t")
        return self.items[name]

for line in open("orders.csv", encoding="utf-8"):
    match = re.match(r"^(\\w+)[;,]\\s*(\\d+)$", line.strip())
    if match is not None:
        stock.remove(match.group(1), int(match.group(2)))
`

const chinese = `人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。人人有资格享有本宣言所载的一切权利和自由，不分种族、肤色、性别、语言、宗教、政治或其他见解、国籍或社会出身、财产、出生或其他身份等任何区别。

你好！我第一次做面包，但是面团完全没有发起来，是哪里出了问题呢？我昨天喂了酵母，放在厨房里过夜，温度大概只有十六度，然后把五百克面粉和三百五十毫升水混合在一起，加了一茶匙盐。现在它一直放在冰箱里，我应该扔掉还是可以挽救？

这是一个很常见的问题，几乎总是因为温度太低。你可以把面团从冰箱里拿出来，让它在室温下回暖两个小时，然后再加入一些活跃的酵母，盖上盖子，等到体积增加一半为止。根据公司第三季度的报告，系统的处理能力比去年同期提高了百分之十二，而延迟基本保持不变。研究人员表示，这项新技术可以帮助医生更早地发现疾病，并且降低治疗的费用。`

const arabic = `يولد جميع الناس أحرارا متساوين في الكرامة والحقوق، وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا بروح الإخاء. لكل إنسان حق التمتع بكافة الحقوق والحريات الواردة في هذا الإعلان، دون أي تمييز، كالتمييز بسبب العنصر أو اللون أو الجنس أو اللغة أو الدين أو الرأي السياسي أو أي رأي آخر.

مرحبا! أحاول أن أخبز الخبز للمرة الأولى ولكن العجين لم يرتفع أبدا، ما هي المشكلة؟ تركته في المطبخ طوال الليل وكانت درجة الحرارة منخفضة، ثم خلطت الدقيق مع الماء والملح. هل يجب أن أرميه أم يمكنني إنقاذه؟

هذه مشكلة شائعة، والسبب دائما تقريبا هو درجة الحرارة. أخرج العجين من الثلاجة واتركه ساعتين، ثم أضف بعض الخميرة وانتظر حتى يزداد حجمه. وقال الباحثون إن التقنية الجديدة يمكن أن تساعد الأطباء على اكتشاف المرض في وقت مبكر وتقليل تكاليف العلاج.`

const japanese = `すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。こんにちは！初めてパンを焼いたのですが、生地がまったく膨らみませんでした。何が悪かったのでしょうか。昨日の夜からキッチンに置いておいたのですが、部屋はかなり寒かったです。`

const hindi = `सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए। नमस्ते! मैं पहली बार रोटी बना रहा हूँ लेकिन आटा बिल्कुल नहीं फूला, क्या गलती हुई?`

const russian = `Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства. Привет! Я впервые пеку хлеб, и тесто совсем не поднялось, что я сделал не так?`

const german = `Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geiste der Brüderlichkeit begegnen. Größere Änderungen müssen bis spätestens übermorgen geprüft werden.`

const korean = `모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 안녕하세요! 처음으로 빵을 만들었는데 반죽이 전혀 부풀지 않았어요.`

const emoji = `😀😃😄😁😆😅🤣😂🙂🙃😉😊😇🥰😍🤩😘😗😚😙🥲😋😛😜🤪😝🤑🤗🤭🤫🤔🤐🤨😐😑😶😏😒🙄😬🤥😌😔😪🤤😴😷🤒🤕🤢🤮🤧🥵🥶🥴😵🤯🤠🥳😎🤓🧐 🎉🎊 👍👎👏🙌🙏💪 ❤️🧡💛💚💙💜 🚀🔥✨💯 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷🇯🇵`

const vietnamese = `Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền. Tôi muốn học nấu ăn, bạn có thể giúp tôi nấu phở bò không? Cảm ơn bạn rất nhiều.`

/** Texts as people and models write them. */
export const ORDINARY = {
  english,
  code: readFileSync('src/guard/reveal/bytes.ts', 'utf8'),
  'more code': readFileSync('src/guard/resilience/admission.ts', 'utf8'),
  python,
  chinese,
  arabic,
  vietnamese,
  emoji,
} as const

/** Other natural texts. */
export const OTHER = {
  japanese,
  hindi,
  russian,
  german,
  korean,
  json: readFileSync('package.json', 'utf8'),
  markdown: readFileSync('CHANGELOG.md', 'utf8').slice(0, 6000),
} as const
