// Express 4 under an alias; for what the tests use, its types are Express 5's.
declare module 'express4' {
  import express from 'express'
  export default express
}
