"""What the pages share: navigation, header, controls, cached computation and figures."""
