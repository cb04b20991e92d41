// LaTeX between dollar signs as MathML, which browsers draw themselves. Texts are a model's: nothing becomes markup.
"use strict";
const MATHML = "http://www.w3.org/1998/Math/MathML";
const DEEPEST = 60, LONGEST = 5000, LONGEST_TEXT = 50000;
const SIGNS = {
  times: "×", div: "÷", cdot: "⋅", pm: "±", mp: "∓", le: "≤", leq: "≤", leqslant: "≤", ge: "≥", geq: "≥",
  geqslant: "≥", ne: "≠", neq: "≠", approx: "≈", equiv: "≡", sim: "∼", cong: "≅", propto: "∝", in: "∈", notin: "∉",
  subset: "⊂", subseteq: "⊆", cup: "∪", cap: "∩", setminus: "∖", to: "→", rightarrow: "→", Rightarrow: "⇒",
  implies: "⟹", iff: "⟺", Leftrightarrow: "⇔", leftarrow: "←", mapsto: "↦", ldots: "…", cdots: "⋯", dots: "…",
  vdots: "⋮", sum: "∑", prod: "∏", int: "∫", lfloor: "⌊", rfloor: "⌋", lceil: "⌈", rceil: "⌉", langle: "⟨",
  rangle: "⟩", mid: "∣", parallel: "∥", perp: "⊥", angle: "∠", triangle: "△", circ: "∘", star: "⋆", ast: "∗",
  neg: "¬", land: "∧", lor: "∨", forall: "∀", exists: "∃", nmid: "∤", "|": "‖", "{": "{", "}": "}", "%": "%",
  $: "$", "#": "#", "&": "&", _: "_", lvert: "|", rvert: "|", vert: "|", bigcup: "⋃", bigcap: "⋂", oplus: "⊕",
  otimes: "⊗", therefore: "∴", because: "∵", backslash: "\\", lbrace: "{", rbrace: "}", colon: ":", prime: "′",
};
const LETTERS = {
  alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ϵ", varepsilon: "ε", zeta: "ζ", eta: "η", theta: "θ",
  vartheta: "ϑ", iota: "ι", kappa: "κ", lambda: "λ", mu: "μ", nu: "ν", xi: "ξ", pi: "π", rho: "ρ", sigma: "σ",
  tau: "τ", upsilon: "υ", phi: "ϕ", varphi: "φ", chi: "χ", psi: "ψ", omega: "ω", Gamma: "Γ", Delta: "Δ", Theta: "Θ",
  Lambda: "Λ", Xi: "Ξ", Pi: "Π", Sigma: "Σ", Phi: "Φ", Psi: "Ψ", Omega: "Ω", infty: "∞", emptyset: "∅",
  varnothing: "∅", partial: "∂", nabla: "∇", ell: "ℓ", Re: "ℜ", Im: "ℑ", hbar: "ℏ", degree: "°", aleph: "ℵ",
};
const NAMES = new Set(("sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp min max gcd lcm det " +
  "dim ker lim sup inf deg arg Pr mod").split(" "));
const SPACES = { ",": "0.17em", ":": "0.22em", ";": "0.28em", "!": "0em", " ": "0.25em", quad: "1em", qquad: "2em" };
const ACCENTS = { bar: "¯", hat: "^", widehat: "^", vec: "→", overrightarrow: "→", tilde: "~", dot: "˙" };
const BORDERS = { boxed: "boxed", fbox: "boxed", overline: "overlined" };
const FONTS = new Set("text mathrm textbf mathbf textit mbox operatorname textrm boldsymbol".split(" "));
const FENCES = { matrix: "", pmatrix: "()", bmatrix: "[]", Bmatrix: "{}", vmatrix: "||", Vmatrix: "‖‖", cases: "{" };
const IGNORED = new Set(("displaystyle textstyle limits nolimits big Big bigg Bigg bigl bigr Bigl Bigr middle hline " +
  "nonumber notag").split(" "));
const LARGE = new Set("∑∏⋃⋂");
const DOUBLE = { R: "ℝ", N: "ℕ", Z: "ℤ", Q: "ℚ", C: "ℂ", P: "ℙ" };

function element(name, ...children) {
  const made = document.createElementNS(MATHML, name);
  made.append(...children);
  return made;
}

class TeX {
  constructor(text) {
    this.tokens = text.match(/\\(?:[A-Za-z]+\*?|[^])|[0-9]+(?:[.,][0-9]+)*|\s+|[^]/gu) || [];
    this.place = this.depth = 0;
  }

  row(...ends) {
    const row = [];
    if (++this.depth > DEEPEST) throw new RangeError("too deep");
    while (this.place < this.tokens.length && !ends.includes(this.tokens[this.place])) {
      const token = this.tokens[this.place];
      if (token === "^" || token === "_") this.script(row);
      else if (token === "'") {
        this.place++;
        row.push(element("msup", row.pop() || element("mrow"), this.operator("′")));
      } else {
        const one = this.atom();
        if (one) row.push(one);
      }
    }
    this.depth--;
    return row;
  }

  script(row) {
    const base = row.pop() || element("mrow"), found = {};
    while (["^", "_"].includes(this.tokens[this.place]) && !found[this.tokens[this.place]]) {
      const sign = this.tokens[this.place++];
      found[sign] = this.argument();
    }
    const over = LARGE.has(base.textContent) || base.textContent === "lim";
    const names = over ? ["munderover", "munder", "mover"] : ["msubsup", "msub", "msup"];
    if (found["^"] && found["_"]) row.push(element(names[0], base, found["_"], found["^"]));
    else if (found["_"]) row.push(element(names[1], base, found["_"]));
    else row.push(element(names[2], base, found["^"]));
  }

  argument() {
    this.space();
    if (this.tokens[this.place] === "{") return this.group();
    const token = this.tokens[this.place];
    if (token === undefined) return element("mrow");
    if (/^[0-9]{2,}/.test(token || "")) {  // \frac12: a digit each
      this.tokens[this.place] = token.slice(1);
      return element("mn", token[0]);
    }
    return this.atom() || element("mrow");
  }

  group() {
    this.place++;
    const row = this.row("}");
    this.place++;
    return element("mrow", ...row);
  }

  words() {  // the text of an argument as it stands
    this.space();
    if (this.tokens[this.place] !== "{") return this.tokens[this.place++] || "";
    let text = "", depth = 0;
    for (; this.place < this.tokens.length; this.place++) {
      const token = this.tokens[this.place];
      depth += (token === "{") - (token === "}");
      if (!depth) { this.place++; break; }
      if (token !== "{" && token !== "}") text += token.replace(/^\\([%$&#_ ])$/, "$1");
    }
    return text;
  }

  space() { while (/^\s+$/.test(this.tokens[this.place] || "")) this.place++; }

  operator(text) { return element("mo", text); }

  atom() {
    const token = this.tokens[this.place++];
    if (/^\s+$/.test(token) || token === "&") return null;
    if (token === "{") { this.place--; return this.group(); }
    if (token === "}") return null;
    if (/^[0-9]/.test(token)) return element("mn", token);
    if (/^\p{L}$/u.test(token)) return element("mi", token);
    if (token[0] !== "\\") return this.operator(token === "-" ? "−" : token === "~" ? " " : token);
    return this.command(token.slice(1).replace(/\*$/, ""));
  }

  command(name) {
    if (Object.hasOwn(SPACES, name)) { const one = element("mspace"); one.setAttribute("width", SPACES[name]); return one; }
    if (/^[dtc]?frac$/.test(name)) return element("mfrac", this.argument(), this.argument());
    if (/^[dt]?binom$/.test(name)) {
      const inner = element("mfrac", this.argument(), this.argument());
      inner.setAttribute("linethickness", "0");
      return element("mrow", this.operator("("), inner, this.operator(")"));
    }
    if (name === "sqrt") return this.root();
    if (FONTS.has(name)) return element(name === "operatorname" ? "mi" : "mtext", this.words());
    if (name === "mathbb") {
      const letter = this.words();
      return element("mi", Object.hasOwn(DOUBLE, letter) ? DOUBLE[letter] : letter);
    }
    if (name === "mathcal" || name === "mathfrak") return element("mi", this.words());
    if (Object.hasOwn(ACCENTS, name)) return element("mover", this.argument(), this.operator(ACCENTS[name]));
    if (name === "underline") return element("munder", this.argument(), this.operator("_"));
    if (Object.hasOwn(BORDERS, name)) { const one = element("mrow", this.argument()); one.classList.add(BORDERS[name]); return one; }
    if (name === "left" || name === "right") return this.fence();
    if (name === "begin") return this.environment(this.words().replace("*", ""));
    if (name === "end") { this.words(); return null; }
    if (name === "pmod") {
      return element("mrow", this.operator("("), element("mtext", "mod "), this.argument(), this.operator(")"));
    }
    if (name === "bmod") return element("mtext", " mod ");
    if (name === "tag" || name === "label") { this.words(); return null; }
    if (name === "\\" || IGNORED.has(name)) return null;
    if (NAMES.has(name)) return element("mi", name);
    if (Object.hasOwn(LETTERS, name)) return element("mi", LETTERS[name]);
    if (Object.hasOwn(SIGNS, name)) return this.operator(SIGNS[name]);
    return element("mtext", "\\" + name);
  }

  root() {
    if (this.tokens[this.place] !== "[") return element("msqrt", this.argument());
    this.place++;
    const degree = element("mrow", ...this.row("]"));
    this.place++;
    return element("mroot", this.argument(), degree);
  }

  fence() {
    const token = this.tokens[this.place++] || "";
    if (token === ".") return null;
    const name = token.slice(1);
    return this.operator(token[0] !== "\\" ? token : Object.hasOwn(SIGNS, name) ? SIGNS[name] : name);
  }

  environment(name) {
    if (name === "array" || name === "tabular") this.words();
    const table = element("mtable"), signs = Object.hasOwn(FENCES, name) ? FENCES[name] : "";
    while (this.place < this.tokens.length && this.tokens[this.place] !== "\\end") {
      const line = element("mtr");
      do {
        if (this.tokens[this.place] === "&") this.place++;
        line.append(element("mtd", ...this.row("&", "\\\\", "\\end")));
      } while (this.tokens[this.place] === "&");
      if (this.tokens[this.place] === "\\\\") this.place++;
      table.append(line);
    }
    this.place++;
    this.words();
    if (!Object.hasOwn(FENCES, name)) table.setAttribute("columnalign", "right left");
    const [open, close] = [signs[0], signs[1]].map((sign) => (sign ? [this.operator(sign)] : []));
    return element("mrow", ...open, table, ...close);
  }
}

function formula(text, block) {
  const math = element("math");
  if (block) math.setAttribute("display", "block");
  try {
    if (text.length > LONGEST) throw new RangeError("too long");
    const tex = new TeX(text);
    while (tex.place < tex.tokens.length) { math.append(...tex.row("\\\\")); tex.place++; }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return document.createTextNode(text);
  }
  return math;
}

const LINES = "(?:align|equation|gather|eqnarray)";
const FORMULA = new RegExp([
  String.raw`\$\$([^]{1,3000}?)\$\$`,
  String.raw`\\\[([^]{1,3000}?)\\\]`,
  String.raw`(\\begin\{${LINES}\*?\}[^]{1,3000}?\\end\{${LINES}\*?\})`,
  String.raw`\\\(([^]{1,3000}?)\\\)`,
  String.raw`(?<!\\)\$(?!\s)([^$\n]{1,2000}?)(?<![\s\\])\$(?!\d)`,
  String.raw`(\\boxed\{[^{}$]*(?:\{[^{}$]*\}[^{}$]*)*\})`,
].join("|"), "g");

// The text as nodes, its formulas drawn. One between dollar signs begins and ends without a space; money does not.
function typeset(text) {
  const found = document.createDocumentFragment();
  let end = 0;
  if (text.length > LONGEST_TEXT) return found.append(text), found;
  for (const match of text.matchAll(FORMULA)) {
    const place = [1, 2, 3, 4, 5, 6].find((i) => match[i] !== undefined), block = place < 4;
    const before = text.slice(end, match.index);
    found.append(block ? before.replace(/\n$/, "") : before, formula(match[place], block));
    end = match.index + match[0].length;
    if (block && text[end] === "\n") end++;  // it stands in a line of its own already
  }
  found.append(text.slice(end));
  return found;
}
