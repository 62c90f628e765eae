// The upload page. Without this script, or where the browser gives it no SHA-256 (crypto.subtle needs https or this
// machine), the same form uploads everything in one request.

import { begin } from "./form.js";

if (globalThis.crypto?.subtle && globalThis.Uppy) begin();
