"""HTTP routes beside the pages. Each module returns its routes from `routes()`, and app.py serves them.

Before all of them:
    gate          the one gate before everything
    paths         every path, and who may ask for it
    who_asks      the person of a request
    refusals      why a request does not pass
    hosts         which names the server answers to
    headers       headers of every answer
    cookies       names and forms of the cookies
    limits        bounds of what is open at once, and of a request
    connections   bounds of what has not arrived whole
    open_sockets  closed when their session has ended
    request_ids   an id for each request
    start_check   whether the studio may start
    runs          makes runs of pages cheaper and surer

Ways in and out:
    sign_in               by name and password, or by a proxy's word
    sign_in_oidc          at a provider: to it, and back
    oidc, oidc_under_way  the provider, and sign-ins there that have begun
    proxy                 a proxy in front that has signed people in
    invited               choosing the password of an account
    new_session           beginning and ending sessions
    sign_out              here, or everywhere
    sign_in_pages, sign_in_parts  the pages of these, and what they share
    public_files          what these pages load

Pages:
    page_html      the HTML that every page begins with
    assets         scripts and style sheets
    live           the socket that tells of changes
    compose_address, old_links  addresses that people type, and those of older versions
    nothing_there  what is no page of ours
    share          shared links

What pages ask for:
    clips, films, take_away  videos, films, and copies to take away
    pictures, posters, previews  pictures of videos, of starting prompts, and free previews
    wall, viewer     what the wall and the lightbox are told of clips
    drafts           text that is being typed
    assistant        the prompt assistant
    export, imports  jobs as a file, out and in

For other programs:
    callbacks  Kling's callbacks
    healthz    whether the studio works
    metrics    its figures for Prometheus
"""
