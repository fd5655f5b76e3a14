// What is judged: turns of two speakers, and the side of the model on which they stand.

/** Llama Guard's labels for the two sides of a conversation. The model is Agent. Users and tool results are User. */
export type Role = 'User' | 'Agent'

/** Which side of the model is judged: `input` is what the user sends, `output` what the model answers. */
export type Stage = 'input' | 'output'

/** One image of a turn, as the request carried it: a `data:` URL or an http(s) URL. */
export interface Image {
  readonly url: string
}

/** The words of one speaker without interruption. Neighbouring messages of the same role are merged. */
export interface Turn {
  readonly role: Role
  readonly text: string
  readonly images?: readonly Image[]
}

/** What a guard judges. The last turn is judged, and the turns before it are context. Never empty. */
export type Conversation = readonly Turn[]
