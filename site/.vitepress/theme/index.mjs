// Without the theme's fonts: the system's load at once.
import theme from "vitepress/theme-without-fonts";
import "./style.css";

export default theme;
