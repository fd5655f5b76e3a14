// Makes adding properties to Express' request and response cheap, on the versions of V8 where it is not.

const OLD_V8 = Number(process.versions.node.split('.')[0]) < 24

/**
 * Express replaces the prototype of every request and response. Before Node.js 24 an object whose prototype
 * was replaced gets a hidden class of its own with each property added to it, and everything in Node's core
 * that looks at it afterwards has to look it up anew: the seven properties of an interception cost 55
 * microseconds a request. As a hash table, which V8 makes of an object that loses any but its newest
 * property, the object costs less than it did without us. So one of its oldest is taken away and given back.
 */
export function toDictionaryMode(object: object): void {
  if (!OLD_V8 || !hasOtherPrototype(object)) return
  const emitter = object as { _maxListeners?: number | undefined }
  const { _maxListeners } = emitter
  if (Reflect.deleteProperty(emitter, '_maxListeners')) emitter._maxListeners = _maxListeners
}

function hasOtherPrototype(object: object): boolean {
  return (
    Object.getPrototypeOf(object) !== (object.constructor as { readonly prototype: unknown } | undefined)?.prototype
  )
}
