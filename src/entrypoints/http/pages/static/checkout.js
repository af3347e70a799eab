// Keeps the page true: a stream tells when the payment changes, and then the page is asked for anew. Where no
// stream comes through it is asked for every few seconds. All words are the server's.
'use strict';
(() => {
  const SECONDS_BETWEEN_QUESTIONS = 5;
  const SECONDS_UNTIL_NEXT_STREAM = 30;
  const find = (id) => document.getElementById(id);
  let payment = find('payment');
  // The countdown runs by the server's clock, whatever this one says.
  const ahead = Number(payment.dataset.now) - Date.now();
  let stream = null;
  let isLive = false; // the stream has told something, and has not broken since
  let isDue = false; // the page is known to be old
  let isAsking = false;
  let seconds = 0;

  const isOpen = () => payment.dataset.open === 'yes';

  function listen() {
    if (!isOpen() || stream || !('EventSource' in window)) return;
    const mine = new EventSource(payment.dataset.stream);
    let hasTold = false; // what is held back on the way opens too, and tells nothing
    stream = mine;
    mine.onmessage = (event) => {
      isLive = hasTold = true;
      if (event.lastEventId !== payment.dataset.version) ask();
      show();
    };
    mine.onopen = () => { isLive = hasTold; };
    mine.onerror = () => {
      isLive = false;
      // Broken ones come back by themselves; one that was refused does not.
      if (mine.readyState === EventSource.CLOSED && stream === mine) stream = null;
      show();
    };
  }

  function hangUp() {
    if (stream) stream.close();
    stream = null;
    isLive = false;
  }

  async function ask() {
    isDue = true;
    if (isAsking) return;
    isAsking = true;
    try {
      const answer = await fetch(location.pathname, { cache: 'no-store' });
      if (answer.status === 404) return location.reload();
      if (!answer.ok) throw new Error(answer.status);
      const text = await answer.text();
      isDue = false;
      put(new DOMParser().parseFromString(text, 'text/html'));
      find('trouble').hidden = true;
    } catch {
      find('trouble').hidden = false;
    } finally {
      isAsking = false;
    }
  }

  function put(page) {
    const next = page.getElementById('payment');
    if (!next) return;
    if (next.dataset.state === payment.dataset.state) {
      payment.dataset.version = next.dataset.version;
      return;
    }
    const hadFocus = payment.contains(document.activeElement);
    const status = page.getElementById('status');
    payment.replaceWith(document.adoptNode(next));
    payment = next;
    // The same element as before, so that its new words are read out.
    find('status').className = status.className;
    find('status').replaceChildren(...status.childNodes);
    document.title = page.title;
    if (hadFocus) {
      const title = find('status').querySelector('h2');
      title.tabIndex = -1;
      title.focus();
    }
    if (!isOpen()) hangUp();
    show();
  }

  function show() {
    document.documentElement.classList.toggle('live', isLive);
    const left = find('left');
    if (!left) return;
    const rest = Math.ceil((Number(payment.dataset.expires) - Date.now() - ahead) / 1000);
    const clock = left.querySelector('b');
    left.hidden = rest < 0;
    const two = (number) => String(number).padStart(2, '0');
    const days = Math.floor(rest / 86400);
    const hours = Math.floor(rest / 3600) % 24;
    clock.textContent = (days > 0 ? `${days} ${clock.dataset.day} ` : '') + (rest >= 3600 ? `${two(hours)}:` : '')
      + `${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
    if (rest <= 0) isDue = true;
  }

  function tick() {
    if (!isOpen()) return;
    seconds += 1;
    show();
    if (document.hidden) return;
    if (seconds % SECONDS_BETWEEN_QUESTIONS === 0 && (isDue || !isLive)) ask();
    if (seconds % SECONDS_UNTIL_NEXT_STREAM === 0) listen();
  }

  // A phone puts the page to sleep while its wallet is open.
  function wakeUp() {
    if (document.hidden || !isOpen()) return;
    ask();
    listen();
  }

  document.addEventListener('visibilitychange', wakeUp);
  window.addEventListener('pageshow', (event) => { if (event.persisted) wakeUp(); });
  window.addEventListener('online', wakeUp);
  setInterval(tick, 1000);
  listen();
  show();
})();
