// ESLint 9 in eslintrc mode (ESLINT_USE_FLAT_CONFIG=false): the last major that reads this file.

// Which room of src may import which, beside itself and `types`. Rooms that are not listed (llama-guard,
// exchange, services) may import all but `cli`, `fetch` and `testing`, which nobody imports.
const MAY = {
  utils: [],
  wire: ['utils'],
  testing: ['utils'],
  policy: [],
  telemetry: ['utils'],
  dialects: ['utils', 'wire'],
  guard: ['utils'],
  upstream: ['utils'],
  request: ['dialects', 'utils', 'wire'],
  response: ['dialects', 'utils', 'wire'],
  options: ['guard/prompt', 'upstream', 'policy', 'dialects/dialect', 'telemetry/audit', 'utils'],
  dashboard: ['services', 'options', 'request/body', 'policy', 'guard', 'telemetry', 'utils'],
  moderations: ['request', 'services', 'options', 'policy', 'dialects', 'utils'],
  fetch: ['llama-guard', 'options', 'response/intercept/calls', 'utils'],
}
const ROOMS = [
  'cli',
  'fetch',
  'llama-guard',
  'dashboard',
  'moderations',
  'exchange',
  'services',
  'options',
  'request',
  'response',
  'guard',
  'upstream',
  'dialects',
  'policy',
  'telemetry',
  'testing',
  'utils',
  'wire',
]

/** An import that leaves the room, by `./` from the root or by `../` from a folder, for a room that is not allowed. */
const leaving = (allowed) => {
  const may = [...allowed, 'types'].join('|')
  return `^(?:\\./|(?:\\.\\./)+)(?!(?:${may})(?:/|\\.js$))(?=(?:${ROOMS.join('|')})(?:/|\\.js$))`
}
const BACKENDS = ['sagemaker', 'llama-cpp', 'local', 'bedrock-guardrail']
const METHODS = '/^(?:write|end|writeHead|flushHeaders|setHeader|appendHeader|removeHeader)$/'
const refuse = (regex, message) => ({ 'no-restricted-imports': ['error', { patterns: [{ regex, message }] }] })

module.exports = {
  root: true,
  parser: '@typescript-eslint/parser',
  plugins: ['@typescript-eslint'],
  extends: ['eslint:recommended'],
  env: { node: true, es2023: true },
  parserOptions: { ecmaVersion: 2023, sourceType: 'module' },
  ignorePatterns: ['!.ci', 'dist', 'node_modules', 'coverage', 'test/consumers', 'examples/cdk'],
  rules: { 'no-unused-vars': 'off', eqeqeq: 'error', 'no-console': 'off' },
  overrides: [
    {
      files: ['*.ts'],
      parserOptions: { project: ['./tsconfig.json', './test/tsconfig.json'], tsconfigRootDir: __dirname },
      extends: ['plugin:@typescript-eslint/strict-type-checked'],
      rules: {
        'no-console': 'error',
        '@typescript-eslint/no-non-null-assertion': 'off', // noUncheckedIndexedAccess makes it the honest way to index what was just measured
        '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
        '@typescript-eslint/consistent-type-imports': 'error',
        '@typescript-eslint/no-namespace': ['error', { allowDeclarations: true }], // Express merges types by namespace
        '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
        // These three misread state that a callback changes, functions saved to be wrapped, and generics that only shape a result.
        '@typescript-eslint/no-unnecessary-condition': 'off',
        '@typescript-eslint/unbound-method': 'off',
        '@typescript-eslint/no-unnecessary-type-parameters': 'off',
        '@typescript-eslint/no-confusing-void-expression': 'off',
        '@typescript-eslint/no-meaningless-void-operator': 'off',
        '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      },
    },
    {
      files: ['src/**/*.ts'],
      rules: { 'max-params': ['error', 4] },
    },
    {
      // The formatter wraps code; this holds comments and messages to the same width.
      files: ['src/**/*.ts'],
      excludedFiles: ['src/**/weights.ts', 'src/**/*-table.ts'],
      rules: {
        'max-len': ['error', { code: 120, ignoreUrls: true, ignoreRegExpLiterals: true, ignoreTemplateLiterals: true }],
        // A fifth is read by its place alone. An object says what each is.
        'max-params': ['error', 4],
      },
    },
    {
      // Clients choose the text that most expressions here are matched against: each has to be linear.
      files: ['src/**/*.ts'],
      plugins: ['regexp'],
      rules: {
        'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
        'regexp/no-super-linear-move': ['error', { report: 'potential', ignoreSticky: false }],
      },
    },
    {
      files: ['test/**/*.ts', 'src/cli/**/*.ts'],
      rules: { 'no-console': 'off' },
    },
    {
      files: ['test/**/*.ts'],
      rules: {
        '@typescript-eslint/no-unsafe-assignment': 'off',
        '@typescript-eslint/no-unsafe-member-access': 'off',
        '@typescript-eslint/no-unsafe-argument': 'off',
        '@typescript-eslint/no-unsafe-call': 'off',
        '@typescript-eslint/no-unsafe-return': 'off',
        '@typescript-eslint/no-explicit-any': 'off', // JSON off the wire
        '@typescript-eslint/restrict-plus-operands': 'off',
        '@typescript-eslint/require-await': 'off',
        '@typescript-eslint/no-confusing-void-expression': 'off',
        '@typescript-eslint/no-meaningless-void-operator': 'off',
        '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      },
    },
    {
      files: ['src/cli/**/*.ts'],
      rules: refuse('^(?:\\.\\./)+testing/', 'Nothing imports what is for the tests of apps.'),
    },
    {
      files: ['src/*.ts', 'src/services/*.ts'],
      rules: refuse(
        '^\\.\\.?/(?:cli|testing|fetch)/',
        'Nothing imports the command line, or what is for the tests of apps.',
      ),
    },
    ...Object.entries(MAY).map(([room, allowed]) => ({
      files: [`src/${room}.ts`, `src/${room}/**/*.ts`],
      rules: refuse(leaving(allowed), `${room} may import itself, ${['types', ...allowed].join(', ')}.`),
    })),
    {
      files: ['src/guard/backends/*/*.ts'],
      rules: {
        ...refuse(
          `${leaving(MAY.guard)}|^\\.\\./(?:${BACKENDS.join('|')})/`,
          'A backend may import prompted, prompt, answer, types and utils; backends do not know each other.',
        ),
      },
    },
    {
      files: ['src/**/*.ts'],
      excludedFiles: ['src/response/intercept/*.ts'],
      rules: {
        'no-restricted-syntax': [
          'error',
          {
            selector: `AssignmentExpression[left.property.name=${METHODS}]:matches([left.object.name='res'], [left.object.property.name='res'])`,
            message: 'Only response/intercept replaces the methods of a response.',
          },
          {
            selector: `CallExpression[callee.property.name=/^define/][arguments.0.name='res'][arguments.1.value=${METHODS}]`,
            message: 'Only response/intercept replaces the methods of a response.',
          },
        ],
      },
    },
  ],
}
