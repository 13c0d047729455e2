import { type FormEvent, type ReactNode, useState } from "react";
import { feed } from "./feed.js";
import { useConnection } from "./use-connection.js";

export function App(): ReactNode {
  const { state, latency, messages } = useConnection(feed);
  const [text, setText] = useState("");

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setText("");
    feed.send(text).catch(console.error);
  };

  return (
    <main>
      <p>
        The connection is <output id="state">{state}</output>
        {latency === null ? "" : `, with a round trip of ${latency.toFixed(1)} ms`}.
      </p>
      <form onSubmit={submit}>
        <input aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
        <button>Send</button>
      </form>
      <ul id="messages">
        {messages.map((message, index) => (
          <li key={index}>{message}</li>
        ))}
      </ul>
    </main>
  );
}
