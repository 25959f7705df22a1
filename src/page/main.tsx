/** The page of the admin side: everything it shows comes from the server it is on. */
import { render } from 'preact';
import { App } from './app.tsx';

render(<App />, document.getElementById('page') as HTMLElement);
