"""The router: navigation, mark and the job card. No computation."""

import streamlit as st

from ui import compute, job_card, link, navigation
from ui.assets import asset

page = navigation.route()
dark = st.context.theme.type == "dark"
if logo := asset("logo-dark.svg" if dark else "logo.svg"):
    st.logo(logo, size="large", icon_image=asset("icon.svg"))
with st.sidebar:
    job_card.show()
with link.visit(page.title):
    page.run()
compute.warm_up()
