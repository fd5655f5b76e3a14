// The form of the playground.
import type { PlaygroundGuard } from '../playground-guards.js'
import { escapeHtml } from './escape-html.js'

export function playgroundHtml(guards: readonly PlaygroundGuard[]): string {
  const options = guards
    .map(
      ({ id, name, takesPolicy }) =>
        `<option value="${escapeHtml(id)}" data-policy="${takesPolicy}">${escapeHtml(name)}</option>`,
    )
    .join('')
  return `<section class="panel" id="playground" aria-labelledby="playgroundTitle">
        <h2 id="playgroundTitle">Playground</h2>
        <p class="hint">
          Asks the real guards, at their cost. What you write here is shown to you alone: it is not counted, remembered
          or logged.
        </p>
        <form id="ask">
          <ol id="turns" aria-label="Conversation"></ol>
          <button type="button" id="addTurn">Add a turn</button>
          <div class="sides">
            <fieldset>
              <legend>Guard</legend>
              <select name="guard" aria-label="Guard">${options}</select>
              <label class="check"><input type="checkbox" name="ownPolicy" /> by the policy below</label>
              <label class="check"><input type="checkbox" name="scores" /> ask for its score</label>
            </fieldset>
            <fieldset>
              <legend>Compare with</legend>
              <select name="guard" aria-label="Compare with"><option value="">no other</option>${options}</select>
              <label class="check"><input type="checkbox" name="ownPolicy" /> by the policy below</label>
              <label class="check"><input type="checkbox" name="scores" /> ask for its score</label>
            </fieldset>
          </div>
          <p class="hint">Another policy, and a score, can be asked of a single guard whose model reads a prompt.</p>
          <details id="policyBox">
            <summary>Policy</summary>
            <label for="policy">What a policy file holds, as JSON</label>
            <textarea id="policy" rows="8" spellcheck="false" class="code"
              placeholder='{ "categories": [{ "id": "O1", "name": "Gardening" }] }'></textarea>
          </details>
          <div class="go">
            <button class="main" id="judge">Judge</button>
            <p id="said" role="status"></p>
          </div>
        </form>
        <div id="results" class="sides"></div>
        <template id="turn">
          <li>
            <select aria-label="Role"><option>User</option><option>Agent</option></select>
            <span class="last">judged</span>
            <button type="button">Remove</button>
            <textarea rows="3" aria-label="Text"></textarea>
          </li>
        </template>
      </section>`
}
