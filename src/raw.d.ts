// A file's text in place of a module. Vite reads it where tests run from source, .ci/rollup.config.js where dist is
// built.
declare module '*?raw' {
  const text: string
  export default text
}
