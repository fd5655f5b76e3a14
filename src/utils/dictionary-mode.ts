// Makes it cheap to add properties to the request and response of Express on Node.js before version 24. This file may
// go on the day `engines` asks for Node.js 24.

const OLD_V8 = Number(process.versions.node.split('.')[0]) < 24

/**
 * Changes an object to a hash table. Express replaces the prototype of every request and response. Before Node.js 24,
 * V8 then gives the object a new hidden class for each property added to it, and every later property access in
 * Node's core misses its cache. The seven properties of an interception cost 55 us a request in this way. To measure it
 * again, let this function return at once and compare `npm run bench` on Express and Node.js 20. V8 stores an object as
 * a hash table once a property other than its newest is deleted. So this function deletes one of the oldest properties
 * and sets it again.
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
