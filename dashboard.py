"""The router: page, mark, navigation and the job card. No computation."""

import streamlit as st

from ui import compute, job_card, navigation
from ui.assets import asset

st.set_page_config(page_title="Convscope", page_icon=asset("icon.svg"), layout="wide")
dark = st.context.theme.type == "dark"
st.logo(asset("logo-dark.svg" if dark else "logo.svg"), size="large", icon_image=asset("icon.svg"))

page = navigation.route()
with st.sidebar:
    job_card.show()
page.run()
compute.warm_up()
