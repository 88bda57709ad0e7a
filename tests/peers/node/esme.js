// A customer on npm's smpp. Its first line of JSON says where to bind, perhaps over TLS; each later one has the fields of a
// submit_sm to send, with its header in hexadecimal as `udh`. It prints a line of JSON for whatever happens.
"use strict";

const readline = require("node:readline");
const smpp = require("smpp");

let session = null;

function tell(what) {
  process.stdout.write(JSON.stringify(what) + "\n");
}

function shown(body) {
  return (body.message === undefined ? body : body.message).toString();
}

function begin({ port, system_id, password, ...tls }) {
  session = smpp.connect({ host: "127.0.0.1", port, ...tls }, () => {
    session.bind_transceiver({ system_id, password }, (pdu) => tell({ bound: pdu.command_status, by: pdu.system_id }));
  });
  session.on("error", (error) => tell({ error: String(error) }));
  session.on("close", () => tell({ closed: true }));
  session.on("deliver_sm", (pdu) => {
    session.send(pdu.response());
    const body = pdu.short_message;
    tell({
      delivered: shown(pdu.message_payload || body),
      data_coding: pdu.data_coding,
      udh: body.udh ? body.udh.map((element) => element.toString("hex")) : [],
      from: pdu.source_addr,
      to: pdu.destination_addr,
      esm_class: pdu.esm_class,
      id: pdu.receipted_message_id,
      state: pdu.message_state,
    });
  });
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const asked = JSON.parse(line);
  if (session === null) {
    begin(asked);
  } else if (asked.leave) {
    session.unbind(() => session.close());
  } else {
    if (asked.udh) {
      asked.short_message = { udh: Buffer.from(asked.udh, "hex"), message: asked.short_message };
      asked.esm_class = 0x40;
      delete asked.udh;
    }
    session.submit_sm(asked, (pdu) => tell({ submitted: pdu.message_id, status: pdu.command_status }));
  }
});
