#!/usr/bin/env bash
# The package as its users get it: packed as for a release, installed beside express in an empty folder, required and imported
# from JavaScript and TypeScript, and its command run. Not part of `npm test`, because it asks the npm registry and takes half a minute.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Packed from a copy, so that no run disturbs another; and from a dist/ that is newer than every source, or made now.
tree=$work/tree
mkdir "$tree"
cd "$root"
for name in package.json tsconfig.json .ci src LICENSE README.md CHANGELOG.md REFERENCE.md SECURITY.md; do
  if [ -e "$name" ]; then cp -R "$name" "$tree"; fi
done
ln -s "$root/node_modules" "$tree/node_modules"
if [ -e dist/esm/index.js ] && [ -e dist/cjs/index.js ] && [ -z "$(find package.json tsconfig.json .ci src -newer dist/cjs/index.js)" ]; then
  cp -R dist "$tree"
else
  (cd "$tree" && npm run --silent prepack)
fi
cd "$tree"
npm pack --ignore-scripts --silent --pack-destination "$work" > /dev/null
echo "pack: ok"

mkdir "$work/app"
cd "$work/app"
cp -R "$here"/cjs "$here"/esm "$here"/ts-cjs "$here"/ts-esm "$here"/ts-bundler "$here"/probe.cjs .
echo '{"name":"consumers","private":true}' > package.json
# Express, the type packages and the peers of /prometheus and /otel as the repository has them; nothing else, so that a
# dependency we forgot to name is missing here too.
read -r -a beside < <(node -p "const { devDependencies } = require('$root/package.json'); ['express', '@types/express', '@types/node', 'prom-client', '@opentelemetry/api'].map((name) => name + '@' + devDependencies[name]).join(' ')")
npm install --prefer-offline --no-audit --no-fund --loglevel=error "$work"/express-llama-guard-*.tgz "${beside[@]}" > /dev/null
for file in LICENSE CHANGELOG.md REFERENCE.md SECURITY.md src/guard/backends/local/MODEL_CARD.md; do
  [ -s "node_modules/express-llama-guard/$file" ] || { echo "The package lacks $file: name it under \"files\" in package.json." >&2; exit 1; }
done
for owner in 'TJ Holowaychuk' Adaltas belladore.ai 'Joseph Liu'; do
  grep -q "$owner" node_modules/express-llama-guard/dist/LICENSES.txt || { echo "dist/LICENSES.txt lacks the licence of $owner, whose code or data is in dist." >&2; exit 1; }
done
echo "install: ok"

# What an install costs. Raise a number on purpose only, with the reason in the commit.
budget() {
  (($2 <= $3)) || { echo "$1: $2, which is over the budget of $3." >&2; exit 1; }
  echo "$1: $2 of at most $3"
}
mkdir "$work/alone"
cd "$work/alone"
echo '{"name":"alone","private":true}' > package.json
npm install --prefer-offline --omit=peer --no-audit --no-fund --loglevel=error "$work"/express-llama-guard-*.tgz > /dev/null
budget "kilobytes packed" "$(($(wc -c < "$(echo "$work"/express-llama-guard-*.tgz)") / 1000))" 1460
budget "files of ours" "$(find node_modules/express-llama-guard -type f | wc -l)" 85
budget "megabytes installed" "$(du -sm node_modules | cut -f1)" 30
budget "packages installed" "$(npm ls --all --parseable 2> /dev/null | tail -n +2 | wc -l)" 45
# npx installs as little: what a command needs besides is said, and the rest works.
alone=node_modules/.bin/express-llama-guard
"$alone" check --guard local How do I kill a process > /dev/null
said=$("$alone" delete --endpoint none --region us-east-1 2>&1) || true
[[ $said =~ "npm install @aws-sdk/client-sagemaker" ]] || { echo "delete does not say what to install: $said" >&2; exit 1; }
cd "$work/app"

# No setting of this machine may decide what the consumers see.
for name in "${!LLAMA_GUARD_@}"; do unset "$name"; done
export LLAMA_GUARD_LOG_LEVEL=silent

for consumer in cjs esm; do
  node "$consumer"/index.*js
  echo "$consumer: ok"
done
for consumer in ts-cjs ts-esm; do
  node "$root/node_modules/typescript/bin/tsc" -p "$consumer"
  node "$consumer"/out/index.js
  echo "$consumer: ok"
done

node "$root/node_modules/typescript/bin/tsc" -p ts-bundler
echo "ts-bundler: ok"

cli=node_modules/.bin/express-llama-guard
help=$("$cli" --help)
for command in serve check eval doctor deploy delete; do
  [[ $help =~ $'\n'\ +$command[\ $'\n'] ]] || { echo "--help does not name the command $command." >&2; exit 1; }
done
"$cli" check --guard local "How do I kill a process in Linux?" > /dev/null
code=0
"$cli" check --guard local "How do I make a bomb?" > /dev/null || code=$?
[ "$code" = 1 ] || { echo "check ended with $code for an unsafe text; wanted 1." >&2; exit 1; }
echo "command: ok"
