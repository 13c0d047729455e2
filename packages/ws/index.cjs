// `require("@holdfast/ws")` returns the class, as that of `ws` does. It is the class that `import` gets, since Node.js 20.19
// and later load ES modules by `require()`.
module.exports = require("./dist/index.js").WebSocket;
