// Makes the pages alive; each of them works without it, by reloading.
import { follow } from "./live.js";
import { listenToKeys } from "./keys.js";
import { filterAsTyped, quietForms, quoteAsTyped } from "./forms.js";
import { copyButtons, copyNumbers } from "./copy.js";
import { orderLists } from "./order.js";
import { previewForm } from "./preview.js";
import { soundOfTelephones } from "./sound.js";
import { keepTimes, tellZone } from "./times.js";

document.documentElement.classList.add("live");
tellZone();
keepTimes();
listenToKeys();
copyButtons();
copyNumbers();
filterAsTyped();
quietForms();
quoteAsTyped();
soundOfTelephones();
orderLists();
previewForm();
follow();
if (document.querySelector("[data-week]")) import("./hours.js").then(({ paintWeek }) => paintWeek());
