// Node loads the package itself: it has files that a bundler would not find.
export default { serverExternalPackages: ['express-llama-guard'] }
