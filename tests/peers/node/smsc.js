// A message centre on npm's smpp. It prints a line of JSON for whatever happens; a line of JSON that it is
// given has the fields of a deliver_sm to bring, whose answer it prints; `udh` is its header in hexadecimal.
"use strict";

const readline = require("node:readline");
const smpp = require("smpp");

const sessions = [];
let given = 0;

function tell(what) {
  process.stdout.write(JSON.stringify(what) + "\n");
}

function stamp() {
  return new Date().toISOString().replace(/\D/g, "").slice(2, 12);
}

const server = smpp.createServer((session) => {
  session.on("error", (error) => tell({ error: String(error) }));
  session.on("close", () => tell({ closed: true }));
  for (const kind of ["bind_transceiver", "bind_transmitter", "bind_receiver"]) {
    session.on(kind, (pdu) => {
      const good = pdu.password === "secret";
      session.send(pdu.response({ system_id: "NODE", command_status: good ? smpp.ESME_ROK : smpp.ESME_RINVPASWD }));
      if (good && kind !== "bind_transmitter") sessions.push(session);
      tell({ bound: kind, system_id: pdu.system_id, good });
    });
  }
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on("submit_sm", (pdu) => {
    given += 1;
    const id = given.toString(16).padStart(8, "0");
    session.send(pdu.response({ message_id: id }));
    const body = pdu.short_message;
    const payload = pdu.message_payload;
    tell({
      submitted: id,
      from: pdu.source_addr,
      to: pdu.destination_addr,
      data_coding: pdu.data_coding,
      esm_class: pdu.esm_class,
      text: (payload ? payload.message : body.message).toString(),
      udh: body.udh ? body.udh.map((element) => element.toString("hex")) : [],
      reference: pdu.sar_msg_ref_num,
    });
    if (pdu.registered_delivery & 1) {
      bring({
        source_addr: pdu.destination_addr,
        destination_addr: pdu.source_addr,
        esm_class: 4,
        short_message: `id:${id} sub:001 dlvrd:001 submit date:${stamp()} done date:${stamp()} stat:DELIVRD err:000 text:`,
        receipted_message_id: id,
        message_state: 2,
      });
    }
  });
});

function bring(fields) {
  if (fields.udh) {
    fields.short_message = { udh: Buffer.from(fields.udh, "hex"), message: fields.short_message };
    fields.esm_class = 0x40;
    delete fields.udh;
  }
  sessions[sessions.length - 1].deliver_sm(fields, (answer) => tell({ answered: answer.command_status }));
}

readline.createInterface({ input: process.stdin }).on("line", (line) => bring(JSON.parse(line)));
server.listen(0, "127.0.0.1", () => tell({ port: server.address().port }));
