"use strict";

const byId = (id) => document.getElementById(id);
const shows = []; // each shows what one person likes
const state = { tab: "me", about: null, liked: [[], [], []], asked: 0, ids: new Map() };

/** An element with text, never markup: titles are only ever text. */
function make(tag, text = "", properties = {}) {
  const element = Object.assign(document.createElement(tag), properties);
  element.textContent = text;
  return element;
}

async function ask(path, body) {
  const headers = { "content-type": "application/json" };
  const token = sessionStorage.getItem("token");
  if (token) headers.authorization = `Bearer ${token}`;
  const method = body ? "POST" : "GET";
  const response = await fetch(`.${path}`, { method, headers, body: body && JSON.stringify(body) });
  if (response.status === 401) byId("token").hidden = false;
  const content = await response.json();
  if (!response.ok) throw new Error(content.error);
  return content;
}

/** 'Matrix, The (1999)' as one says it. */
function spoken(title) {
  return title.replace(/^([^(]*), (The|A|An)(?= \(|$)/, "$2 $1");
}

/** A sentence on movies as one on what the source has, such as board games. */
function worded(text) {
  const [one, several] = state.about.item;
  const capital = (word) => word[0].toUpperCase() + word.slice(1);
  if (one === "movie") return text;
  return text.replace(/\b(a )?([Mm])ovie(s?)\b/g, (_, article, first, many) => {
    const word = many ? several : one;
    if (article) return `${/^[aeiou]/i.test(word) ? "an" : "a"} ${word}`;
    return first === "M" ? capital(word) : word;
  });
}

function later(action, milliseconds) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), milliseconds);
  };
}

// Stars: five, whatever the data's scale.

function fromStars(stars) {
  const [low, high] = state.about.scale;
  return low + ((stars - 1) / 4) * (high - low);
}

/** Nothing where there is no rating. */
function ratingText(rating) {
  return rating === null ? "" : `★ ${rating.toFixed(1)}`;
}

function starButtons(movie, changed) {
  const group = make("span", "", { className: "stars" });
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", `Stars for ${spoken(movie.title)}`);
  const buttons = [1, 2, 3, 4, 5].map((stars) => {
    const button = make("button", "★", { type: "button" });
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", stars === 1 ? "1 star" : `${stars} stars`);
    button.addEventListener("click", () => choose(stars));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = Math.min(5, Math.max(1, movie.stars + step));
      choose(next);
      buttons[next - 1].focus();
    });
    return button;
  });
  function paint() {
    buttons.forEach((button, i) => {
      button.classList.toggle("on", i < movie.stars);
      button.setAttribute("aria-checked", String(i + 1 === movie.stars));
      button.tabIndex = i + 1 === movie.stars ? 0 : -1;
    });
  }
  function choose(stars) {
    movie.stars = stars;
    paint();
    changed();
  }
  paint();
  group.append(...buttons);
  return group;
}

// The picker: search as you type, by the pattern of a combobox with a list.

function picker(place) {
  const person = Number(place.dataset.person);
  const input = make("input", "", { type: "text", autocomplete: "off", spellcheck: false });
  input.placeholder = "type a title";
  const listId = `options-${person}`;
  const options = make("ul", "", { id: listId, className: "options", hidden: true });
  const liked = make("ul", "", { className: "liked" });
  const set = (name, value) => input.setAttribute(name, value);
  set("role", "combobox");
  set("aria-label", "A title to add");
  set("aria-autocomplete", "list");
  set("aria-controls", listId);
  set("aria-expanded", "false");
  options.setAttribute("role", "listbox");
  place.append(input, options, liked);
  let found = [];
  let active = -1;

  function close() {
    options.hidden = true;
    set("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    active = index;
    [...options.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === active)));
    if (found[active]) set("aria-activedescendant", options.children[active].id);
  }

  function open() {
    options.replaceChildren(...found.map((movie, i) => {
      const item = make("li", spoken(movie.title), { id: `${listId}-${i}` });
      item.setAttribute("role", "option");
      item.addEventListener("mousedown", (event) => { event.preventDefault(); add(movie); });
      return item;
    }));
    if (!found.length) options.append(make("li", worded("no movie is called so"), { className: "none" }));
    options.hidden = false;
    set("aria-expanded", "true");
    mark(found.length ? 0 : -1);
  }

  const search = later(async () => {
    const typed = input.value.trim();
    if (!typed) return close();
    try {
      const answer = await ask(`/movies?k=6&q=${encodeURIComponent([...typed].slice(0, 200).join(""))}`);
      if (typed !== input.value.trim()) return;
      const taken = new Set(state.liked[person].map((movie) => movie.movie_id));
      found = answer.movies.filter((movie) => !taken.has(movie.movie_id));
      open();
    } catch (error) { complain(error); }
  }, 120);

  function add(movie) {
    state.liked[person].push({ ...movie, stars: 5 });
    input.value = "";
    found = [];
    close();
    show();
    recommend();
    input.focus();
  }

  function show() {
    liked.replaceChildren(...state.liked[person].map((movie) => {
      const item = make("li");
      const remove = make("button", "×", { className: "remove", type: "button" });
      remove.setAttribute("aria-label", `Remove ${spoken(movie.title)}`);
      remove.addEventListener("click", () => {
        state.liked[person] = state.liked[person].filter((other) => other !== movie);
        show();
        recommend();
        input.focus();
      });
      item.append(make("span", spoken(movie.title), { className: "title" }));
      if (state.about.scale) item.append(starButtons(movie, recommend));
      item.append(remove);
      return item;
    }));
  }

  shows.push(show);
  input.addEventListener("input", search);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (options.hidden || !found.length) return;
    if (event.key === "Enter") { event.preventDefault(); add(found[active]); }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); mark((active + step + found.length) % found.length); }
  });
}

// What a newcomer says of themselves: a field for each feature of users that the model knows.

const MOST_OPTIONS = 30;

function showFields() {
  const { asked } = state.about;
  byId("telling").hidden = !asked.length;
  byId("telling").querySelector(".hint").textContent = worded(byId("telling").querySelector(".hint").textContent);
  byId("fields").replaceChildren(...asked.map((feature) => {
    const label = make("label", titled(feature.label), { className: "field" });
    const field = fieldOf(feature);
    field.dataset.feature = feature.name;
    label.append(field, ...suggestions(field, feature));
    return label;
  }));
}

function fieldOf({ number, values, usual }) {
  if (number) {
    const placeholder = usual ? `mostly ${usual[0]} to ${usual[1]}` : "a number";
    return make("input", "", { type: "number", step: "any", inputMode: "decimal", placeholder });
  }
  if (values.length > MOST_OPTIONS) return make("input", "", { autocomplete: "off", spellcheck: false });
  const field = make("select");
  field.append(make("option", "not told", { value: "" }), ...ordered(values).map((value) => make("option", value)));
  return field;
}

/** Values to choose from where one may also type another. */
function suggestions(field, { name, number, values }) {
  if (number || field.tagName !== "INPUT") return [];
  const list = make("datalist", "", { id: `values-${name}` });
  list.append(...ordered(values).map((value) => make("option", "", { value })));
  field.setAttribute("list", list.id);
  return [list];
}

/** By number where there are any: under 18, 18-24, 25-34. */
function ordered(values) {
  const under = (value) => /^under \d/.test(value);
  return [...values].sort((one, other) => (
    under(other) - under(one) || one.localeCompare(other, "en", { numeric: true })
  ));
}

const fields = () => [...document.querySelectorAll("[data-feature]")];

/** What was filled in, as text. */
function filledIn() {
  return Object.fromEntries(fields().map((field) => [field.dataset.feature, field.value.trim()]).filter(([, value]) => value));
}

/** The same as a request says it. */
function told() {
  const numbers = new Set(state.about.asked.filter(({ number }) => number).map(({ name }) => name));
  return Object.fromEntries(Object.entries(filledIn()).map(([name, value]) => [name, numbers.has(name) ? Number(value) : value]));
}

// Categories of movies, such as a director: lists may be limited to some of their values.

const MOST_MARKS = 24;

function showCategories() {
  const categories = state.about.categories.filter(({ name }) => name !== "genres"); // shown by themselves
  for (const part of document.querySelectorAll(".of-categories")) part.hidden = !categories.length;
  byId("categories").replaceChildren(...categories.map((category) => (
    category.total > MOST_MARKS ? searchedValues(category) : markedValues(category)
  )));
}

const titled = (label) => label[0].toUpperCase() + label.slice(1);

/** All values side by side, to be marked. */
function markedValues({ name, label, values }) {
  const field = make("fieldset");
  const marks = make("div", "", { className: "marks" });
  marks.append(...ordered(values).map((value) => mark(value)));
  field.dataset.category = name;
  field.append(make("legend", titled(label)), marks);
  return field;
}

function mark(value) {
  const label = make("label");
  label.append(make("input", "", { type: "checkbox", value }), make("span", value));
  return label;
}

/** One value after another, each searched for as it is typed; those taken are buttons below. */
function searchedValues({ name, label }) {
  const place = make("div");
  const field = make("label", titled(label), { className: "field" });
  const input = make("input", "", { autocomplete: "off", spellcheck: false, placeholder: "any" });
  const offered = make("datalist", "", { id: `of-${name}` });
  const taken = make("ul", "", { className: "values" });
  place.dataset.category = name;
  input.setAttribute("list", offered.id);
  field.append(input, offered);
  place.append(field, taken);

  function take(value) {
    const button = make("button", `${value} ×`, { type: "button", value });
    button.setAttribute("aria-label", `Remove ${value}`);
    button.addEventListener("click", () => { button.parentNode.remove(); input.focus(); recommend(); });
    const item = make("li");
    item.append(button);
    if (!taken.querySelector(`button[value=${CSS.escape(value)}]`)) taken.append(item);
    input.value = "";
    recommend();
  }

  /** The value that is typed to the letter, but for capitals. */
  const meant = () => [...offered.children].map((option) => option.value)
    .find((value) => value.toLowerCase() === input.value.trim().toLowerCase());

  const offer = later(async () => {
    try {
      const typed = input.value;
      const found = await ask(`/values?category=${encodeURIComponent(name)}&q=${encodeURIComponent(typed)}`);
      if (typed === input.value) offered.replaceChildren(...found.values.map((value) => make("option", "", { value })));
    } catch (error) { complain(error); }
  }, 120);

  input.addEventListener("focus", offer);
  input.addEventListener("input", (event) => {
    event.stopPropagation(); // what is half typed asks for no list
    const chosen = event.inputType === "insertReplacementText" || !event.inputType;
    if (chosen && meant()) take(meant()); else offer();
  });
  input.addEventListener("change", () => { if (meant()) take(meant()); });
  return place;
}

/** What was marked and taken, by category. */
function having() {
  const places = [...document.querySelectorAll("[data-category]")];
  const found = places.map((place) => (
    [place.dataset.category, [...place.querySelectorAll("input:checked, .values button")].map((own) => own.value)]
  ));
  return Object.fromEntries(found.filter(([, values]) => values.length));
}

// Asking and showing.

function wishes() {
  const year = (id) => (byId(id).value ? Number(byId(id).value) : null);
  return {
    k: 10,
    genres: [...byId("genres").querySelectorAll("input:checked")].map((box) => box.value),
    having: having(),
    year_from: year("year-from"),
    year_to: year("year-to"),
    mix: Number(byId("mix").value),
    keep_seen: byId("seen").checked,
  };
}

function history(person) {
  return state.liked[person].map((movie) => (
    state.about.scale ? { movie: movie.movie_id, rating: fromStars(movie.stars) } : { movie: movie.movie_id }
  ));
}

function person() {
  return state.tab === "user" ? { user: userId() || null } : { ...told(), history: history(0) };
}

function groupRequest() {
  const share = Number(byId("weight").value) / 100;
  const weights = state.liked.length > 3 ? [] : [1 - share, share];
  const people = state.liked.slice(1).map((_, i) => ({ history: history(i + 1), weight: weights[i] ?? 1 }));
  return { ...wishes(), people, rule: byId("rule").value };
}

const SOURCES = {
  user: "from what this user rated",
  viewer: "from what this user saw",
  history: "from the movies you named",
  popularity: "what most people watch: name a movie you like",
};

const MOST_PEOPLE = 10;

/** A place for one more who watches; of three or more, everybody counts alike. */
function addPerson() {
  const number = Math.max(3, document.querySelectorAll(".picker").length);
  state.liked[number] ??= [];
  const place = make("div", "", { className: "picker" });
  place.dataset.person = number;
  byId("others").append(make("h2", `Person ${number}`), place);
  picker(place);
  for (const part of document.querySelectorAll(".of-two")) part.hidden = true;
  byId("add-person").hidden = number >= MOST_PEOPLE;
}

// What was chosen outlives a reload, not the tab: who sits here next starts anew.

function remember() {
  sessionStorage.setItem("chosen", JSON.stringify({ tab: state.tab, liked: state.liked, user: userId(), told: filledIn() }));
}

function recall() {
  const chosen = JSON.parse(sessionStorage.getItem("chosen") || "null");
  if (!chosen) return;
  state.liked = chosen.liked;
  while (document.querySelectorAll(".picker").length < state.liked.length) addPerson();
  for (const field of fields()) field.value = chosen.told?.[field.dataset.feature] ?? "";
  byId("telling").open = fields().some((field) => field.value);
  byId("user").value = chosen.user;
  byId(`tab-${chosen.tab}`).click();
  if (chosen.user) showUser();
}

const recommend = later(async () => {
  remember();
  const mine = ++state.asked;
  try {
    const together = state.tab === "two";
    const answer = together
      ? await ask("/group", groupRequest())
      : await ask("/recommend", { ...person(), ...wishes() });
    if (mine !== state.asked) return;
    byId("error").hidden = true;
    const sources = together ? answer.sources : [answer.source];
    const known = sources.find((source) => source !== "popularity");
    const from = known === "user" && !state.about.scale ? "viewer" : known;
    byId("source").textContent = worded(SOURCES[from || "popularity"]);
    byId("movies").replaceChildren(...answer.movies.map((movie, i) => movieItem(movie, i, Boolean(known))));
    byId("movies").dataset.asked = mine;
    if (!answer.movies.length) byId("movies").append(make("li", worded("No movie fits these filters."), { className: "none" }));
  } catch (error) {
    if (mine === state.asked) complain(error);
  }
}, 80);

function complain(error) {
  byId("error").textContent = error.message;
  byId("error").hidden = false;
}

function movieItem(movie, index, explained) {
  const item = make("li");
  const name = make("span", spoken(movie.title), { className: "name" });
  name.append(make("span", movie.genres.join(" · "), { className: "genre-line" }));
  const score = make("span", "", { className: "score" });
  if (movie.ratings) {
    score.append(make("small", movie.ratings.map((rating) => rating.toFixed(1)).join(" and ")));
  } else {
    if (explained) score.append(opener("Why?", `Why ${spoken(movie.title)}?`, "why", () => explain(movie), item));
    score.append(opener("Similar", `Similar to ${spoken(movie.title)}`, "similar", () => similar(movie), item));
  }
  score.append(make("span", ratingText(movie.rating), { className: "rated" }));
  item.append(make("span", String(index + 1), { className: "place" }), ...pictures(movie), name, score);
  return item;
}

/** The movie's picture, where the server shows any; one that cannot be had is taken out again. */
function pictures({ poster }) {
  if (!poster) return [];
  const picture = make("img", "", { src: poster, alt: "", loading: "lazy", className: "poster" });
  picture.addEventListener("error", () => picture.remove());
  return [picture];
}

/** A button that opens a box below a movie and closes it again; `fill` makes what is in it. */
function opener(text, label, name, fill, item) {
  const button = make("button", text, { className: name, type: "button" });
  button.setAttribute("aria-label", label);
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", async () => {
    const shown = item.querySelector(`.of-${name}`);
    button.setAttribute("aria-expanded", String(!shown));
    if (shown) return shown.remove();
    try {
      const content = await fill();
      if (item.querySelector(`.of-${name}`)) return;
      const box = make("div", "", { className: `reasons of-${name}` });
      box.append(...content);
      item.append(box);
    } catch (error) { complain(error); }
  });
  return button;
}

async function explain(movie) {
  const answer = await ask("/explain", { ...person(), movie: movie.movie_id });
  const reasons = answer.history.filter((event) => event.effect > 0).slice(0, 4);
  const list = make("ul");
  const most = Math.max(...reasons.map((event) => event.effect), 1e-9);
  for (const event of reasons) {
    const line = make("li");
    const bar = make("meter", "", { min: 0, max: most, value: event.effect });
    bar.title = `without it, ${Math.round(100 * (1 - Math.exp(-event.effect)))}% less likely`;
    line.append(make("span", [spoken(event.title), ratingText(event.rating)].filter(Boolean).join(", ")), bar);
    list.append(line);
  }
  return [make("span", reasons.length ? "Moved up most by" : worded("No single movie moved it up: it is popular with people of all tastes.")), list];
}

async function similar(movie) {
  const answer = await ask(`/similar?k=5&movie=${encodeURIComponent(movie.movie_id)}`);
  const list = make("ul");
  list.append(...answer.movies.map((near) => make("li", spoken(near.title))));
  return [make("span", "Nearest to it"), list];
}

// A user: ids to choose from, and what they rated.

/** The id that was chosen, which may begin with a space or hold a line break, or else typed. */
function userId() {
  const typed = byId("user").value;
  return state.ids.get(typed) ?? typed.trim();
}

const offerUsers = later(async () => {
  try {
    const typed = byId("user").value;
    let answer = await ask(`/users?q=${encodeURIComponent(typed)}`);
    if (!answer.total) answer = await ask(`/users?q=${encodeURIComponent(typed.trim())}`);
    const before = userId();
    for (const id of answer.users) state.ids.set(id.replace(/[\r\n]/g, ""), id);
    if (userId() !== before) showUser();
    byId("user-ids").replaceChildren(...answer.users.map((id) => make("option", "", { value: id })));
    byId("user-hint").textContent = answer.total ? `${answer.total.toLocaleString()} users have an id like this` : "no user has an id like this";
  } catch (error) { complain(error); }
}, 120);

const showUser = later(async () => {
  const user = userId();
  byId("history").replaceChildren();
  byId("history-title").hidden = true;
  recommend();
  if (!user) return;
  try {
    const answer = await ask(`/history?user=${encodeURIComponent(user)}`);
    if (user !== userId()) return;
    byId("history-title").hidden = false;
    byId("history").replaceChildren(...answer.history.map((event) => {
      const item = make("li");
      item.append(make("span", spoken(event.title)), make("span", ratingText(event.rating), { className: "rated" }));
      return item;
    }));
  } catch (error) { byId("user-hint").textContent = error.message; }
}, 250);

function select(tab) {
  state.tab = tab.id.replace("tab-", "");
  for (const other of document.querySelectorAll("[role=tab]")) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    byId(other.getAttribute("aria-controls")).hidden = !chosen;
  }
  if (state.tab === "user") offerUsers();
  recommend();
}

function tabs() {
  const all = [...document.querySelectorAll("[role=tab]")];
  all.forEach((tab, i) => {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = all[(i + step + all.length) % all.length];
      next.focus();
      select(next);
    });
  });
}

function sayWeight() {
  const share = Number(byId("weight").value);
  const said = share === 50 ? "both alike" : share === 0 ? "the one decides"
    : share === 100 ? "the other decides" : `${100 - share} to ${share}`;
  byId("weight-said").textContent = said;
}

/** Starts with the order that the training chose; between the two there is no other. */
function orderBy(mix) {
  if (!mix) return;
  const option = mix === 1 ? byId("mix").options[2] : byId("mix").options[1];
  option.value = mix;
  option.selected = true;
}

async function start() {
  state.about = await ask("/about");
  const { about } = state;
  byId("about").textContent = `Model ${about.model}, version ${about.version}: ${about.movies.toLocaleString()} ${about.item[1]}, ${about.scale ? `ratings from ${about.scale[0]} to ${about.scale[1]}` : "no ratings"}.`;
  for (const text of document.querySelectorAll(".lead")) text.firstChild.data = worded(text.firstChild.data);
  for (const part of document.querySelectorAll(".of-ratings")) part.hidden = !about.scale;
  for (const part of document.querySelectorAll(".of-events")) part.hidden = Boolean(about.scale);
  byId("genres").replaceChildren(...about.genres.map(mark));
  document.querySelector(".genres").hidden = !about.genres.length;
  document.querySelector(".years").hidden = !about.years;
  showFields();
  showCategories();
  orderBy(about.mix);
  recall();
  for (const show of shows) show();
  if (about.years) [byId("year-from").placeholder, byId("year-to").placeholder] = about.years.map(String);
  recommend();
}

document.querySelectorAll(".picker").forEach(picker);
tabs();
byId("filters").addEventListener("input", recommend);
byId("fields").addEventListener("input", recommend);
byId("weight").addEventListener("input", () => { sayWeight(); recommend(); });
byId("rule").addEventListener("input", recommend);
byId("add-person").addEventListener("click", () => { addPerson(); recommend(); });
byId("user").addEventListener("input", () => { offerUsers(); showUser(); });
byId("token").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", byId("token").querySelector("input").value);
  byId("token").hidden = true;
  byId("error").hidden = true;
  start().catch(complain);
});
start().catch(complain);
