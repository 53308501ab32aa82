// The usual relay with socket.io: join a room, and forward each message to the others in it.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const server = createServer();
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });

io.on("connection", (socket) => {
  const room = socket.handshake.query.room;
  socket.join(room);
  socket.on("rtc:ice", (message) => socket.to(room).emit("rtc:ice", message));
  socket.emit("joined");
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
