"use strict";

const field = document.getElementById("token");
const who = document.getElementById("who");
let token = sessionStorage.getItem("token") || "";

function show() {
  who.textContent = token ? "已使用令牌;到期后请重新粘贴。" : "未登录:请先粘贴令牌。";
}

async function fetcher(question) {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: {
      Accept: "application/graphql-response+json, application/json",
      "Content-Type": "application/json",
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(question),
  });
  return response.json();
}

const root = ReactDOM.createRoot(document.getElementById("graphiql"));
let generation = 0;

// A new key loads the schema again, now with the token.
function render() {
  root.render(
    React.createElement(GraphiQL, {
      key: generation,
      fetcher,
      defaultTabs: window.EXAMPLES.map((query) => ({ query })),
      storage: window.sessionStorage, // questions may hold ID numbers: gone with the tab
      shouldPersistHeaders: false,
      isHeadersEditorEnabled: false,
    }),
  );
}

document.getElementById("credential").addEventListener("submit", (event) => {
  event.preventDefault();
  token = field.value.trim();
  sessionStorage.setItem("token", token);
  field.value = "";
  generation += 1;
  show();
  render();
});

show();
render();
