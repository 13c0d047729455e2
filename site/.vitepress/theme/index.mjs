// Without the theme's fonts: the system's load at once.
import theme from "vitepress/theme-without-fonts";
import { openSearchWithCapsLock } from "./search-key.mjs";
import "./style.css";

export default { extends: theme, enhanceApp: openSearchWithCapsLock };
