// Midtrans's own Node SDK against a running look-alike; docs/simulator.md says how to run it.
const assert = require('node:assert/strict');
const midtrans = require('midtrans-client');

const [url, serverKey = 'SB-Mid-server-simulator'] = process.argv.slice(2);

function client(key) {
  const core = new midtrans.CoreApi({ isProduction: false, serverKey: key });
  core.apiConfig.getCoreApiBaseUrl = () => url;
  return core;
}

const core = client(serverKey);
const orderId = () => `node-${Math.random().toString(36).slice(2)}`;
const charge = (order_id, payment_type = 'gopay', gross_amount = 10000) =>
  core.charge({ payment_type, transaction_details: { order_id, gross_amount } });
const control = (path, body = {}) => fetch(url + path, { method: 'POST', body: JSON.stringify(body) });

async function refusal(call) {
  const error = await call.then(() => assert.fail('it was not refused'), (error) => error);
  return error.ApiResponse?.status_code ?? error.httpStatusCode;
}

async function notification(order_id, status) {
  const address = `${url}/simulator/log?direction=out&order_id=${order_id}`;
  for (let tries = 0; tries < 100; tries += 1) {
    const { exchanges } = await (await fetch(address)).json();
    const told = exchanges.map((exchange) => JSON.parse(exchange.request));
    const found = told.find((one) => one.transaction_status === status);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail(`no notification of ${order_id}; start the look-alike with --notify`);
}

async function main() {
  const first = orderId();
  const charged = await charge(first);
  assert.equal(charged.status_code, '201');
  assert.ok(charged.actions.some((action) => action.name === 'deeplink-redirect'));
  assert.equal((await core.transaction.status(first)).transaction_status, 'pending');
  assert.equal((await core.transaction.status(charged.transaction_id)).order_id, first);
  assert.equal(await refusal(charge(first)), '406');
  assert.equal(await refusal(core.transaction.approve(first)), '412');
  assert.equal(await refusal(core.transaction.deny(first)), '412');
  assert.equal((await core.transaction.cancel(first)).transaction_status, 'cancel');
  assert.equal((await charge(first)).status_code, '201');
  assert.equal((await core.transaction.expire(first)).status_code, '407');
  assert.equal((await core.transaction.status(first)).status_code, '407');

  assert.equal(await refusal(core.transaction.status('nobody')), '404');
  assert.equal(await refusal(charge(orderId(), 'gopay', 0)), '400');
  assert.equal(await refusal(client('wrong').transaction.status(first)), '401');

  const second = orderId();
  assert.match((await charge(second, 'qris')).qr_string, /^000201/);
  await control(`/wallet/${second}/pay`);
  const told = await notification(second, 'settlement');
  assert.equal((await core.transaction.notification(told)).transaction_status, 'settlement');

  const part = await core.transaction.refund(second, { refund_key: 'k-1', amount: 4000, reason: 'one is broken' });
  const rest = await core.transaction.refundDirect(second, { refund_key: 'k-2', amount: 6000, reason: 'all are' });
  assert.deepEqual([part.transaction_status, rest.transaction_status], ['partial_refund', 'refund']);
  assert.equal(await refusal(core.transaction.refund(second, { refund_key: 'k-2', amount: 1 })), '406');

  console.log(`midtrans-client ${require('midtrans-client/package.json').version}: all is well`);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
