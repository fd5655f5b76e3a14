// The bare Express proxy: what the app costs without any guard.
import { chatApp, handOn, listen } from './app.js'

listen(chatApp().post('/v1/chat/completions', handOn))
