// `npm start`: demonstrates a connection on a bad network. Exits with 0 only if every step succeeded.

import { HELP, parseArguments } from "./arguments.js";
import { tellStory } from "./story/story.js";
import { Terminal } from "./terminal/terminal.js";
import { printable } from "./terminal/text.js";

// The reader of the output may exit early: `npm start | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(1);
});

const command = parseArguments(process.argv.slice(2));
switch (command.type) {
  case "help":
    process.stdout.write(HELP);
    break;
  case "refuse":
    process.stderr.write(`Unknown argument: ${printable(command.argument)}\n\n${HELP}`);
    process.exitCode = 1;
    break;
  case "tell": {
    const failure = await tellStory(new Terminal(process.stdout, process.env), command.sabotage);
    if (failure !== null) {
      process.stderr.write(`The demo failed at the step: ${failure}\n`);
      process.exitCode = 1;
    }
  }
}
