#!/usr/bin/env bash
# The package as its users get it: packed, installed beside express in an empty folder, required and imported, from JavaScript and TypeScript.
# Not part of `npm test`: it asks the npm registry and takes half a minute. It uses dist/ as it is, and builds it when there is none.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$root"
[ -f dist/esm/index.js ] && [ -f dist/cjs/index.js ] || npm run build
tarball=$(npm pack --ignore-scripts --silent --pack-destination "$work")

cp -R "$here"/cjs "$here"/esm "$here"/ts-cjs "$here"/ts-esm "$here"/probe.cjs "$work"
cd "$work"
echo '{"name":"consumers","private":true}' > package.json
versions=$(node -p "const {devDependencies: d} = require('$root/package.json'); ['express', 'typescript', '@types/node', '@types/express'].map((n) => n + '@' + d[n]).join(' ')")
# shellcheck disable=SC2086  # a list of words
npm install --prefer-offline --no-audit --no-fund --loglevel=error "./$tarball" $versions

for consumer in cjs esm; do
  LLAMA_GUARD_LOG_LEVEL=silent node "$consumer"/index.*js
  echo "$consumer: ok"
done
for consumer in ts-cjs ts-esm; do
  npx tsc -p "$consumer"
  LLAMA_GUARD_LOG_LEVEL=silent node "$consumer"/out/index.js
  echo "$consumer: ok"
done
