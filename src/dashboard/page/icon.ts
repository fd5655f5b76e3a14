// The icon of the dashboard.
export const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#4f46e5" d="M16 2 4 6.5v9.5c0 7 5 12 12 14 ' +
  '7-2 12-7 12-14V6.5z"/><path fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" ' +
  'stroke-linejoin="round" d="m10.5 16 4 4 7.5-8.5"/></svg>'
