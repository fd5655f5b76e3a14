// A Llama model of a few hundred tokens, written as GGUF: Llama 3's special tokens, and weights made by hand
// instead of trained ones.
// One attention head averages all it reads, so a trigger word anywhere in the prompt turns the answer. All
// else is a chain of tokens.

/** Logits where the verdict is decided, before the softmax: what a test may expect of the score. */
export const SAFE_LOGIT = 8
export const UNSAFE_LOGIT = 6.4

const TRIGGER = ' bomb'
const SPECIAL = ['<|begin_of_text|>', '<|end_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>']
const WORDS = ['\n\n', 'safe', 'unsafe', 'S1', TRIGGER]
const WIDTH = 64
const NORM = Math.sqrt(WIDTH)
const HIDDEN = 32
/** So strong that one trigger among thousands of tokens is enough. */
const TRIGGER_GAIN = 4000
/** So long that what attention adds does not matter. */
const LONG = 100_000

/** Answers `\n\nsafe`, or `\n\nunsafe\nS1` when the prompt holds " bomb"; `babble` answers x without end. */
export function tinyGguf({
  babble = false,
  contextLength = 8192,
}: { babble?: boolean; contextLength?: number } = {}): Buffer {
  const tokens = [...byteTokens(), ...WORDS.map(spell), ...SPECIAL]
  const id = (text: string): number => tokens.indexOf(SPECIAL.includes(text) ? text : spell(text))
  const embedding = new Float32Array(tokens.length * WIDTH)
  const output = new Float32Array(tokens.length * WIDTH)
  let dimensions = 0
  const dimension = (token: string, length: number): number => {
    embedding[id(token) * WIDTH + dimensions] = length
    return dimensions++
  }
  const votes = (from: number, token: string, logit: number): void =>
    void (output[id(token) * WIDTH + from] = logit / NORM)
  const chain = (from: string, to: string): void => votes(dimension(from, LONG), to, 2 * SAFE_LOGIT)

  const trigger = dimension(TRIGGER, 1)
  chain('<|end_header_id|>', '\n\n')
  if (babble) {
    chain('\n\n', 'x')
    chain('x', 'x')
  } else {
    const verdict = dimension('\n\n', 1)
    votes(verdict, 'safe', SAFE_LOGIT)
    votes(verdict, 'unsafe', UNSAFE_LOGIT)
    votes(trigger, 'unsafe', SAFE_LOGIT)
    chain('safe', '<|eot_id|>')
    chain('unsafe', '\n')
    chain('\n', 'S1')
    chain('S1', '<|eot_id|>')
  }
  const value = square((v) => (v[trigger * WIDTH + trigger] = 1))
  const attention = square((o) => (o[trigger * WIDTH + trigger] = TRIGGER_GAIN))
  const ones = (): Float32Array => new Float32Array(WIDTH).fill(1)

  return gguf(
    [
      ['general.architecture', string('llama')],
      ['general.name', string('tiny guard')],
      ['llama.context_length', uint32(contextLength)],
      ['llama.embedding_length', uint32(WIDTH)],
      ['llama.block_count', uint32(1)],
      ['llama.feed_forward_length', uint32(HIDDEN)],
      ['llama.attention.head_count', uint32(1)],
      ['llama.attention.head_count_kv', uint32(1)],
      ['llama.attention.layer_norm_rms_epsilon', float32(1e-5)],
      ['llama.rope.dimension_count', uint32(WIDTH)],
      ['llama.vocab_size', uint32(tokens.length)],
      ['tokenizer.ggml.model', string('gpt2')],
      ['tokenizer.ggml.pre', string('llama-bpe')],
      ['tokenizer.ggml.tokens', array(STRING, tokens.map(string))],
      [
        'tokenizer.ggml.token_type',
        array(
          INT32,
          tokens.map((token) => int32(SPECIAL.includes(token) ? CONTROL : NORMAL)),
        ),
      ],
      ['tokenizer.ggml.merges', array(STRING, [string('Ċ Ċ')])],
      ['tokenizer.ggml.bos_token_id', uint32(id('<|begin_of_text|>'))],
      ['tokenizer.ggml.eos_token_id', uint32(id('<|eot_id|>'))],
    ],
    [
      ['token_embd.weight', [WIDTH, tokens.length], embedding],
      ['output_norm.weight', [WIDTH], ones()],
      ['output.weight', [WIDTH, tokens.length], output],
      ['blk.0.attn_norm.weight', [WIDTH], ones()],
      ['blk.0.attn_q.weight', [WIDTH, WIDTH], square()],
      ['blk.0.attn_k.weight', [WIDTH, WIDTH], square()],
      ['blk.0.attn_v.weight', [WIDTH, WIDTH], value],
      ['blk.0.attn_output.weight', [WIDTH, WIDTH], attention],
      ['blk.0.ffn_norm.weight', [WIDTH], ones()],
      ['blk.0.ffn_gate.weight', [WIDTH, HIDDEN], new Float32Array(WIDTH * HIDDEN)],
      ['blk.0.ffn_up.weight', [WIDTH, HIDDEN], new Float32Array(WIDTH * HIDDEN)],
      ['blk.0.ffn_down.weight', [HIDDEN, WIDTH], new Float32Array(WIDTH * HIDDEN)],
    ],
  )
}

function square(fill: (values: Float32Array) => void = () => undefined): Float32Array {
  const values = new Float32Array(WIDTH * WIDTH)
  fill(values)
  return values
}

/** GPT-2's way to write any byte as a visible character. */
function visible(byte: number): string {
  const plain = (b: number): boolean => (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae
  if (plain(byte)) return String.fromCodePoint(byte)
  const rank = Array.from({ length: byte }, (_, b) => b).filter((b) => !plain(b)).length
  return String.fromCodePoint(256 + rank)
}
const byteTokens = (): string[] => Array.from({ length: 256 }, (_, byte) => visible(byte))
const spell = (text: string): string => Array.from(Buffer.from(text), visible).join('')

// The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
const [UINT32, INT32, FLOAT32, STRING, ARRAY] = [4, 5, 6, 8, 9]
const [NORMAL, CONTROL] = [1, 3]
const ALIGNMENT = 32

interface Value {
  readonly type: number
  readonly bytes: Buffer
}

const bytes = (length: number, write: (buffer: Buffer) => void): Buffer => {
  const buffer = Buffer.alloc(length)
  write(buffer)
  return buffer
}
const u32 = (value: number): Buffer => bytes(4, (b) => b.writeUInt32LE(value))
const u64 = (value: number): Buffer => bytes(8, (b) => b.writeBigUInt64LE(BigInt(value)))
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)])
const uint32 = (value: number): Value => ({ type: UINT32, bytes: u32(value) })
const int32 = (value: number): Value => ({ type: INT32, bytes: bytes(4, (b) => b.writeInt32LE(value)) })
const float32 = (value: number): Value => ({ type: FLOAT32, bytes: bytes(4, (b) => b.writeFloatLE(value)) })
const string = (value: string): Value => ({ type: STRING, bytes: text(value) })
const array = (type: number, values: readonly Value[]): Value => ({
  type: ARRAY,
  bytes: Buffer.concat([u32(type), u64(values.length), ...values.map((value) => value.bytes)]),
})
const padded = (buffer: Buffer): Buffer => Buffer.concat([buffer, Buffer.alloc(-buffer.length & (ALIGNMENT - 1))])

function gguf(
  metadata: readonly (readonly [string, Value])[],
  tensors: readonly (readonly [string, readonly number[], Float32Array])[],
): Buffer {
  let offset = 0
  const infos = tensors.map(([name, shape, values]) => {
    const info = Buffer.concat([text(name), u32(shape.length), ...shape.map(u64), u32(0), u64(offset)])
    offset += values.byteLength + (-values.byteLength & (ALIGNMENT - 1))
    return info
  })
  const head = [
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(metadata.length),
    ...metadata.flatMap(([key, value]) => [text(key), u32(value.type), value.bytes]),
    ...infos,
  ]
  return Buffer.concat([
    padded(Buffer.concat(head)),
    ...tensors.map(([, , values]) => padded(Buffer.from(values.buffer))),
  ])
}
