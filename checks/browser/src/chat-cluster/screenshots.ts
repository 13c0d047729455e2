// `npm run build && node checks/browser/dist/chat-cluster/screenshots.js FOLDER`: pictures of the chat, to look at.

import { ChatPage, ChatProgram } from "./chat-cluster.js";

const [folder = "."] = process.argv.slice(2);
const program = new ChatProgram("--port", "0");
try {
  await using chat = await ChatPage.open(await program.url());
  const picture = (name: string) => chat.page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  await chat.hasReceived(30);
  await chat.say("Hello, is anybody there?");
  await chat.look("light", 1280);
  await chat.page.waitForTimeout(1_000);
  await picture("chat-light-1280");
  await chat.kill(await chat.ownServer());
  await chat.page.waitForTimeout(700);
  await picture("chat-killed-1280");
  await chat.look("dark", 1280);
  await picture("chat-dark-1280");
  await chat.look("dark", 390);
  await picture("chat-dark-390");
  await chat.look("light", 390);
  await picture("chat-light-390");
} finally {
  program.end();
  await program.ended();
}
