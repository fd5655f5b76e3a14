// Loaded before a program of others: mounts the guard at the top of each of its Express apps, or of its HTTP servers.
const http = require('node:http')
const { syncBuiltinESMExports } = require('node:module')
const { resolve } = require('node:path')

const { llamaGuard } = require(process.env.CONFORMANCE_GUARD)
const guard = { model: 'safe', categories: [], judge: async () => ({ safe: true, categories: [] }) }
const mounted = () => llamaGuard({ guard, logger: false, ...JSON.parse(process.env.CONFORMANCE_OPTIONS) })

if (process.env.CONFORMANCE_WHERE === 'express') {
  const application = require(resolve('lib/application'))
  const { init } = application
  application.init = function () {
    init.call(this)
    // An app makes its router when it is first used, with the settings of that moment: no earlier must we.
    const { get } = Object.getOwnPropertyDescriptor(this, 'router')
    let router
    Object.defineProperty(this, 'router', {
      configurable: true,
      enumerable: true,
      get() {
        router ??= get.call(this).use(mounted())
        return router
      },
    })
  }
} else {
  const { createServer } = http
  http.createServer = (...given) => {
    const middleware = mounted()
    const guarded = (listener) => (req, res) => middleware(req, res, () => listener(req, res))
    return createServer(...given.map((one) => (typeof one === 'function' ? guarded(one) : one)))
  }
  syncBuiltinESMExports()
}
