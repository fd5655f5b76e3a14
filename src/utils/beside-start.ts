// What loads beside the app's own start instead of before it: the AWS SDK, undici, a page.

/** A failure to load is the failure of every use. */
export function besideStart<T>(loading: Promise<T>): Promise<T> {
  loading.catch(() => undefined)
  return loading
}

/** Closes what has loaded, or will. */
export function closeLoaded(loading: Promise<{ close(): unknown }>): Promise<unknown> {
  return loading.then(
    (loaded) => loaded.close(),
    () => undefined,
  )
}
