"""The router: navigation, mark and the job panel. No computation."""

import streamlit as st

from core.memory import keep_little
from ui.assets import asset
from ui.header import job_panel, navigation
from ui.visitor import compute, link

keep_little()
page = navigation.route()
dark = st.context.theme.type == "dark"
if logo := asset("logo-dark.svg" if dark else "logo.svg"):
    st.logo(logo, size="large", icon_image=asset("icon.svg"))
with st.sidebar:
    job_panel.show()
with link.visit(page.title):
    page.run()
compute.warm_up()
