// The finger of a swipe; none while several zoom, or while one moves what is zoomed.
const isZoomed = () => visualViewport.scale > 1.1;
const finger = ({ touches: [one, other] }) => (other || isZoomed() ? null : one);
