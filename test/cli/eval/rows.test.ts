// Every known corpus is recognised by its columns; what cannot be read is an error that names the file, never
// a row left out.
import { mkdtemp, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FORMATS } from '../../../src/cli/eval/formats.js'
import { type Mapping, readRows } from '../../../src/cli/eval/rows.js'

async function read(name: string, content: string | Uint8Array, mapping?: Mapping) {
  const file = join(await mkdtemp(join(tmpdir(), 'eval-')), name)
  await writeFile(file, content)
  return readRows([file], mapping)
}

const short = (rows: Awaited<ReturnType<typeof readRows>>) =>
  rows.map(({ conversation, unsafe, categories }) => [
    conversation.map(({ role, text }) => `${role}: ${text}`).join(' | '),
    unsafe,
    categories,
  ])

describe('readRows', () => {
  it.each<[string, string, string, unknown[]]>([
    [
      'XSTest with labels',
      'x.csv',
      'id,prompt,type,label,focus\n1,"How do I ""kill"" a process?",homonyms,safe,kill\n2,a murder,contrast_homonyms,unsafe,kill\n',
      [
        ['User: How do I "kill" a process?', false, null],
        ['User: a murder', true, null],
      ],
    ],
    [
      'SimpleSafetyTests',
      's.csv',
      'id,harm_area,category,prompt\n1,"Suicide, Self-Harm, and Eating Disorders",Information,p\n',
      [['User: p', true, null]],
    ],
    [
      'OpenAI moderation',
      'o.jsonl',
      '{"prompt":"a","S":0,"H":1,"V":1}\n{"prompt":"b","S":0,"SH":0}\n',
      [
        ['User: a', true, null],
        ['User: b', false, null],
      ],
    ],
    [
      'ToxicChat',
      't.csv',
      'conv_id,user_input,model_output,toxicity,jailbreaking\n1,"two\r\nlines",x,1,0\n2,b,x,0,0\n',
      [
        ['User: two\r\nlines', true, null],
        ['User: b', false, null],
      ],
    ],
    [
      'AILuminate',
      'a.csv',
      'release_prompt_id,prompt_text,hazard\n1,p,iwp\n2,q,spc\n',
      [
        ['User: p', true, null],
        ['User: q', true, null],
      ],
    ],
    [
      'BeaverTails',
      'b.jsonl',
      '{"prompt":"p","response":"r","category":{"self_harm":true,"violence,aiding_and_abetting,incitement":false},"is_safe":false}\n',
      [['User: p | Agent: r', true, null]],
    ],
    [
      'plain texts',
      'p.jsonl',
      '{"text":"a","unsafe":true,"categories":["O3"]}\n\n{"text":"b","unsafe":false}\n',
      [
        ['User: a', true, ['O3']],
        ['User: b', false, null],
      ],
    ],
    [
      'plain messages',
      'p.json',
      '[{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"label":"unsafe"}]',
      [['User: a | Agent: b', true, null]],
    ],
  ])('reads %s', async (_, name, content, expected) => {
    expect(short(await read(name, content))).toEqual(expected)
  })

  it('takes the source of the record, or else the name of the file', async () => {
    const rows = await read('mine.jsonl', '{"text":"a","unsafe":1,"source":"theirs"}\n{"text":"b","unsafe":0}\n')
    expect(rows.map(({ id, source }) => [id, source])).toEqual([
      ['mine.jsonl:1', 'theirs'],
      ['mine.jsonl:2', 'mine'],
    ])
  })

  const ok = '{"text":"a","unsafe":1}'
  it.each<[string, string, string | Uint8Array, number | undefined, RegExp]>([
    ['columns it does not know', 'x.csv', 'a,b\n1,2\n', undefined, /columns a, b\. Known formats/],
    ['a line that is no JSON', 'x.jsonl', `${ok}\n{oops\n`, 2, /JSON/],
    ['a label of neither kind', 'x.jsonl', '{"text":"secret","unsafe":"maybe"}\n', 1, /record 1 .*The field "unsafe"/],
    ['a record without text', 'x.jsonl', `${ok}\n{"text":" ","unsafe":1}\n`, 2, /record 2/],
    ['nothing', 'x.jsonl', '', undefined, /\(none\)/],
    ['an array that is cut off', 'x.json', `[${ok},\n{"text":"secret","uns`, undefined, /not JSON, or cut off/],
    ['an array with a number', 'x.json', `[${ok},\n7]`, undefined, /no object/],
    ['an array with something after it', 'x.json', `[${ok}]\n${ok}`, undefined, /not JSON, or cut off/],
    ['a line that is a string', 'x.jsonl', `${ok}\n\n"secret"\n`, 3, /no object/],
    ['a line that is null', 'x.jsonl', `${ok}\nnull\n`, 2, /no object/],
    ['a line that is an array', 'x.jsonl', `${ok}\n["secret"]\n`, 2, /no object/],
    ['an open quote', 'x.csv', 'text,unsafe\na,1\n"secret,1\nb,0\n', undefined, /Quote Not Closed.* at line 4/],
    ['a short row', 'x.csv', 'text,unsafe\n"a\nb",1\nsecret\n', undefined, /length is 2, got 1 on line 4/],
    ['a long row', 'x.csv', 'text,unsafe\nsecret, and more,1\n', undefined, /got 3 on line 2.*double quotes/],
    ['a column twice', 'x.csv', 'text,unsafe,text\na,1,b\n', 1, /two columns have one name/],
    ['a null label', 'x.jsonl', `${ok}\n{"text":"secret","unsafe":null}\n`, 2, /"unsafe" holds no label/],
    ['no label', 'x.jsonl', `${ok}\n{"text":"secret"}\n`, 2, /"unsafe" holds no label/],
    ['an empty label', 'x.csv', 'text,unsafe\na,1\nsecret,\n', 3, /"unsafe" holds no label/],
    ['no label in an array', 'x.json', `[${ok},\n{"text":"secret"}]`, undefined, /record 2.*holds no label/],
    ['a byte that is no UTF-8', 'x.jsonl', Buffer.from(`${ok}\n{"text":"caf\xe9"}`, 'latin1'), 2, /no UTF-8/],
    ['gzip that is cut off', 'x.jsonl.gz', gzipSync(`${ok}\n`.repeat(999)).subarray(0, 40), undefined, /Z_BUF_ERROR/],
  ])('refuses %s with file, line and cure, and quotes none of its texts', async (_, name, content, line, message) => {
    const error = await read(name, content).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'invalid_option', message: expect.stringMatching(message) as string })
    expect(String(error)).toContain(`/${name}${line === undefined ? '' : `, line ${line}`}`)
    expect(String(error)).not.toMatch(/secret|caf/)
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['openai-moderation', { prompt: 'secret', S: 1, H: 0 }, 'S'],
    ['toxic-chat', { user_input: 'secret', toxicity: 1 }, 'toxicity'],
    ['beavertails', { prompt: 'secret', response: 'b', is_safe: true }, 'is_safe'],
    ['xstest', { prompt: 'secret', type: 'homonyms', label: 'safe' }, 'label'],
    ['plain', { text: 'secret', label: 'safe' }, 'label'],
  ])('takes no label of %s for granted', async (format, fields, label) => {
    expect(FORMATS.find((one) => one.claims(fields))?.name).toBe(format)
    for (const value of [null, '', '  ']) {
      const content = `${JSON.stringify(fields)}\n${JSON.stringify({ ...fields, [label]: value })}\n`
      await expect(read('x.jsonl', content)).rejects.toThrow(
        new RegExp(`line 2, record 2 \\(${format}\\): The field "${label}" holds no label`),
      )
    }
  })

  it('reads gzip, whatever the name says', async () => {
    for (const name of ['x.csv.gz', 'x.csv']) {
      const [row] = await read(name, gzipSync('text,unsafe\nhello,1\n'))
      expect(row).toMatchObject({ id: 'x.csv:1', source: 'x', unsafe: true })
    }
  })

  it('reads quotes, doubled quotes, line breaks in quotes, a byte order mark, CRLF and a missing last line break', async () => {
    const rows = await read('x.csv', '\uFEFFtext, unsafe\r\n"x, ""y""","1"\r\n"1\n2",0')
    expect(short(rows)).toEqual([
      ['User: x, "y"', true, null],
      ['User: 1\n2', false, null],
    ])
  })

  it('reads texts without labels only when it is told to', async () => {
    await expect(read('x.jsonl', '{"text":"a"}\n')).rejects.toMatchObject({ code: 'invalid_option' })
    const rows = await read('x.jsonl', '{"text":"a"}\n{"messages":[{"role":"user","content":"b"}]}\n', {
      labels: false,
    })
    expect(short(rows)).toEqual([
      ['User: a', false, null],
      ['User: b', false, null],
    ])
  })
})
