// Which strings may go unjudged as the name of a model: words of names that are known, and versions.
import { isRandom } from './identifiers.js'

const MODEL = /^[A-Za-z0-9@][\w.:/@+-]{0,127}$/
/** Words of names of models and of those who make and serve them. */
const MODEL_WORDS = new Set(
  (
    'abliterated accounts af ai alibaba allenai amazon anthropic ap arcee arctic arn asia asr aurora auto awq aws ' +
    'aya azure ba base bedrock beta bf bge big bison bloom bnb bot bytedance ca central cerebras cf chat chatglm ' +
    'chatgpt claude cloud code codegemma codellama codeqwen coder codestral codex cogito cogvlm cohere com ' +
    'command community compound computer context custom dall davinci dbrx deep deepcogito deepinfra deepseek ' +
    'default demo dev devstral distill dolphin doubao dpo east edge ernie eu euryale eva exaone exp experimental ' +
    'extended fable falcon fast fireworks flash foundation fp free ft gecko gemini gemma gen general gguf glm ' +
    'global google gov gpt gptq granite grok groq guard guardian haiku hermes hf high huggingface hunyuan hy ' +
    'hyperbolic ibm inference inflection instant instruct int intern internlm internvl it jais jamba jurassic ' +
    'kimi large latest learnlm lfm liquid lite llama llamafile llamaguard llava lm lmstudio local locations luna ' +
    'magistral mai mammoth mathstral maverick max me medium meta microsoft mini minicpm minimax ministral mistral ' +
    'mistralai mixtral mlx model models moe moonshot moonshotai mpt mythomax nano nemo nemotron neural north ' +
    'northeast nous nousresearch nova nvidia ollama olmo omni openai openbuddy openchat opencoder openhermes ' +
    'openorca openrouter opus orca org palm palmyra perplexity phi pixtral plus preview pro profile projects ' +
    'prompt provider publishers quantized qvq qwen qwenlm qwq raw reasoner reasoning regions reka research rlhf ' +
    'router sa saba safety salesforce sambanova sao scout search sft shield shieldgemma small smol smollm ' +
    'snowflake solar sonar sonnet sonoma south southeast spark sst stability stable stablelm starcoder step ' +
    'suffix super swallow switchpoint sys team terminus test text thebloke think thinking thudm tiny tinyllama ' +
    'embed embedding embeddings image ada mxbai nomic ' +
    'titan tng together tool tools toppy turbo ultra unsloth upstage us use vicuna vision vl voxtral weaver west ' +
    'wizard wizardlm xai xl xlarge yi zai zephyr zhipu'
  ).split(' '),
)
/** Letters of words that no known model has in its name: of one short name of the app's own. */
const OWN_LETTERS = 8
/** `v`, `b` and the letters of quantizations. */
const SINGLE_LETTERS = 6
/** No model is named with two of them; hardly a sentence does without. */
const SENTENCE_WORDS = new Set(
  (
    'a about all an and any are as at be by can create do does explain for from get give have how i if in is it kill ' +
    'list make me my need of on or out should someone somebody step tell that the them this to use want what when ' +
    'where who why will with without write you your'
  ).split(' '),
)

/**
 * Names that were found to be one, because an app uses few and each request says one twice. Reading them anew took 2 %
 * of the CPU of a request whose verdicts are remembered (Node 24, November 2026).
 */
const known = new Set<string>()
const MOST_KNOWN = 64

/** The name of a model: words of known names, versions, and little else. */
export function isModelName(text: string): boolean {
  if (known.has(text)) return true
  if (!MODEL.test(text) || !readsAsName(text)) return false
  if (known.size >= MOST_KNOWN) known.clear()
  known.add(text)
  return true
}

function readsAsName(text: string): boolean {
  const runs = text
    .split(/[:/]/)
    .filter((part) => !isRandom(part))
    .flatMap((part) => part.split(/[^A-Za-z]+/))
    .filter((run) => run !== '')
  const words = runs.flatMap((run) =>
    MODEL_WORDS.has(run.toLowerCase()) ? run : run.replace(/([a-z])([A-Z])/g, '$1 $2').split(' '),
  )
  const isWord = (word: string): boolean => word.length > 1 || word === 'a' || word === 'i'
  const ofSentences = words.filter((word) => isWord(word) && SENTENCE_WORDS.has(word.toLowerCase())).length
  const own = words.filter((word) => word.length > 1 && !MODEL_WORDS.has(word.toLowerCase()))
  return (
    words.filter(isWord).length <= (text.startsWith('arn:aws') ? 12 : 8) &&
    ofSentences < 2 &&
    own.reduce((letters, word) => letters + word.length, 0) <= OWN_LETTERS &&
    words.filter((word) => word.length === 1).length <= SINGLE_LETTERS &&
    text.split(/[^A-Za-z0-9]/).every((part) => (part.match(/\d+/g)?.length ?? 0) <= 3)
  )
}
