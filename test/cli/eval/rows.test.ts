// Every known corpus is recognised by its columns; what cannot be read is an error that names the file, never
// a row left out.
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseCsv } from '../../../src/cli/eval/csv.js'
import { type Mapping, readRows } from '../../../src/cli/eval/rows.js'

async function read(name: string, content: string, mapping?: Mapping) {
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
      'XSTest without labels',
      'x.csv',
      'id_v2,type,prompt,focus,note\nv2-1,homonyms,kill a process,kill,\nv2-2,contrast_homonyms,a murder,kill,\n',
      [
        ['User: kill a process', false, null],
        ['User: a murder', true, null],
      ],
    ],
    [
      'SimpleSafetyTests',
      's.csv',
      'id,harm_area,category,prompt\n1,"Suicide, Self-Harm, and Eating Disorders",Information,p\n',
      [['User: p', true, ['O6']]],
    ],
    [
      'OpenAI moderation',
      'o.jsonl',
      '{"prompt":"a","S":0,"H":1,"V":1}\n{"prompt":"b","S":0,"SH":0}\n',
      [
        ['User: a', true, ['O1']],
        ['User: b', false, []],
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
        ['User: p', true, ['O4']],
        ['User: q', true, []],
      ],
    ],
    [
      'BeaverTails',
      'b.jsonl',
      '{"prompt":"p","response":"r","category":{"self_harm":true,"violence,aiding_and_abetting,incitement":false},"is_safe":false}\n',
      [['User: p | Agent: r', true, ['O6']]],
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

  it('reads other columns by name', async () => {
    const rows = await read('m.csv', 'body,verdict\nhello,bad\nbye,good\n', {
      textField: 'body',
      labelField: 'verdict',
      unsafeValue: 'bad',
    })
    expect(short(rows)).toEqual([
      ['User: hello', true, null],
      ['User: bye', false, null],
    ])
  })

  it('takes the source of the record, or else the name of the file', async () => {
    const rows = await read('mine.jsonl', '{"text":"a","unsafe":1,"source":"theirs"}\n{"text":"b","unsafe":0}\n')
    expect(rows.map(({ id, source }) => [id, source])).toEqual([
      ['mine.jsonl:1', 'theirs'],
      ['mine.jsonl:2', 'mine'],
    ])
  })

  it.each([
    ['columns it does not know', 'x.csv', 'a,b\n1,2\n', /columns a, b\. Known formats/],
    ['a line that is no JSON', 'x.jsonl', '{"text":"a","unsafe":1}\n{oops\n', /line 2/],
    [
      'a label that is neither yes nor no',
      'x.jsonl',
      '{"text":"secret","unsafe":"maybe"}\n',
      /record 1 \(plain\): The field "unsafe"/,
    ],
    ['a record without text', 'x.jsonl', '{"text":"a","unsafe":1}\n{"text":" ","unsafe":1}\n', /record 2/],
    [
      'a message it cannot read',
      'x.jsonl',
      '{"messages":[{"role":"alien","content":"secret"}],"unsafe":1}\n',
      /record 1/,
    ],
    ['an open quote', 'x.csv', 'text,unsafe\n"secret,1\n', /quote/],
    ['nothing', 'x.jsonl', '', /\(none\)/],
  ])('refuses a file with %s, and quotes none of its texts', async (_, name, content, message) => {
    const error = await read(name, content).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toMatch(message)
    expect(String(error)).not.toContain('secret')
  })

  it('says which file is missing', async () => {
    await expect(readRows(['/nowhere/rows.jsonl'])).rejects.toMatchObject({ code: 'invalid_option' })
  })
})

describe('parseCsv', () => {
  it('reads quotes, doubled quotes, line breaks in quotes, a byte order mark, CRLF and a missing last line break', () => {
    expect(parseCsv('\uFEFFa,b\r\n"x, ""y""","1\n2"\r\n,z')).toEqual([
      { a: 'x, "y"', b: '1\n2' },
      { a: '', b: 'z' },
    ])
    expect(parseCsv('')).toEqual([])
  })
})
