"use strict";

function make(tag, text, ...children) {
  const element = document.createElement(tag);
  element.textContent = text;
  element.append(...children);
  return element;
}

function kind(schema) {
  if (schema.anyOf) return schema.anyOf.map(kind).filter((name) => name !== "null").join(" or ");
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

function table(fields) {
  const rows = fields.map(([name, schema, text]) => {
    const cells = [name, kind(schema), bounds(schema), text || schema.description || ""];
    return make("tr", "", ...cells.map((cell) => make("td", cell)));
  });
  const head = make("tr", "", ...["name", "type", "bounds", ""].map((cell) => make("th", cell)));
  return make("table", "", head, ...rows);
}

function operation(path, method, what, schemas) {
  const box = make("section", "", make("code", `${method.toUpperCase()} ${path}`), make("p", what.description || ""));
  box.className = "operation";
  const fields = (what.parameters || []).map((one) => [one.name, one.schema, one.description]);
  const body = what.requestBody?.content["application/json"].schema.$ref;
  if (body) fields.push(...Object.entries(schemas[body.split("/").pop()].properties));
  if (fields.length) box.append(table(fields));
  const answer = what.responses["200"].content["application/json"].schema.$ref.split("/").pop();
  const shown = Object.entries(schemas[answer].properties).map(([name, schema]) => `${name}: ${kind(schema)}`);
  box.append(make("p", `Answer: { ${shown.join(", ")} }`));
  return box;
}

async function start() {
  const { paths, components } = await (await fetch("openapi.json")).json();
  if (components.securitySchemes) {
    const place = document.getElementById("operations");
    place.before(make("p", "This server asks for a token: every request says Authorization: Bearer TOKEN."));
  }
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, what] of Object.entries(methods)) {
      document.getElementById("operations").append(operation(path, method, what, components.schemas));
    }
  }
}

start();
