"use strict";

function make(tag, text, ...children) {
  const element = document.createElement(tag);
  element.textContent = text;
  element.append(...children);
  return element;
}

function kind(schema) {
  if (schema.anyOf) return schema.anyOf.map(kind).join(" or ");
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.type === "array") return `list of ${schema.items ? kind(schema.items) : "values"}`;
  return schema.type || "";
}

function bounds(schema) {
  const parts = [];
  if (schema.minimum !== undefined) parts.push(`from ${schema.minimum}`);
  if (schema.maximum !== undefined) parts.push(`to ${schema.maximum}`);
  if (schema.maxItems !== undefined) parts.push(`at most ${schema.maxItems}`);
  if (schema.default !== undefined) parts.push(`default ${JSON.stringify(schema.default)}`);
  return parts.join(", ");
}

const inner = (schema) => [schema.$ref, schema.items?.$ref, ...(schema.anyOf || []).map((one) => one.$ref)].find(Boolean);

/** A type's name; where it has fields of its own, a link to them. */
function typeCell(schema) {
  const named = inner(schema)?.split("/").pop();
  if (!named) return make("td", kind(schema));
  const link = make("a", kind(schema));
  link.href = `${location.href.split("#")[0]}#${named}`;
  return make("td", "", link);
}

function table(fields) {
  const further = fields.map(([, schema, text]) => [bounds(schema), text || schema.description || ""]);
  const used = ["bounds", ""].map((_, i) => further.some((cells) => cells[i]));
  const only = (cells) => cells.filter((_, i) => used[i]);
  const rows = fields.map(([name, schema], row) => (
    make("tr", "", make("td", name), typeCell(schema), ...only(further[row]).map((cell) => make("td", cell)))
  ));
  const head = make("tr", "", ...["name", "type", ...only(["bounds", ""])].map((cell) => make("th", cell)));
  return make("table", "", head, ...rows);
}

/** A command that can be pasted into a shell. */
function command(path, what, schema, guarded) {
  const given = (what.parameters || []).map((one) => [one, (one.schema.examples || one.examples || [])[0]]);
  let address = new URL(".", location.href).href.replace(/\/$/, "") + path;
  for (const [one, example] of given) {
    if (one.in === "path") address = address.replace(`{${one.name}}`, encodeURIComponent(example));
  }
  const query = given.filter(([one, example]) => one.in === "query" && example !== undefined);
  if (query.length) address += `?${query.map(([one, example]) => `${one.name}=${encodeURIComponent(example)}`).join("&")}`;
  const token = guarded ? " -H 'Authorization: Bearer TOKEN'" : "";
  const body = schema ? ` -H 'Content-Type: application/json' -d '${JSON.stringify(schema.examples[0])}'` : "";
  return `curl '${address}'${token}${body}`;
}

function operation(path, method, what, schemas, guarded) {
  const title = make("summary", "", make("code", `${method.toUpperCase()} ${path}`), make("p", what.description || ""));
  const box = make("details", "", title);
  box.className = "operation";
  const fields = (what.parameters || []).map((one) => [one.name, one.schema, one.description]);
  const body = what.requestBody?.content["application/json"].schema.$ref;
  if (body) fields.push(...Object.entries(schemas[body.split("/").pop()].properties));
  if (fields.length) box.append(table(fields));
  box.append(make("pre", command(path, what, body && schemas[body.split("/").pop()], guarded)));
  const answer = what.responses["200"].content["application/json"].schema.$ref.split("/").pop();
  box.append(make("p", "Answer:"), table(Object.entries(schemas[answer].properties)));
  return box;
}

/** The types that others are made of, each with its fields. */
function types(schemas) {
  const used = new Set();
  for (const schema of Object.values(schemas)) {
    for (const field of Object.values(schema.properties || {})) used.add(inner(field)?.split("/").pop());
  }
  return Object.keys(schemas).filter((name) => used.has(name)).map((name) => {
    const fields = table(Object.entries(schemas[name].properties));
    fields.id = name; // within, so that a link to it opens the box
    const title = make("summary", "", make("code", name), make("p", schemas[name].description || ""));
    const box = make("details", "", title, fields);
    box.className = "type";
    return box;
  });
}

async function start() {
  const { paths, components } = await (await fetch("openapi.json")).json();
  if (components.securitySchemes) {
    const place = document.getElementById("operations");
    place.before(make("p", "This server asks for a token: every request says Authorization: Bearer TOKEN."));
  }
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, what] of Object.entries(methods)) {
      document.getElementById("operations").append(operation(path, method, what, components.schemas, Boolean(components.securitySchemes)));
    }
  }
  document.getElementById("operations").append(...types(components.schemas));
}

start();
